import http from "node:http";
import https from "node:https";
import net from "node:net";
import { UserError } from "../errors.js";
import { BulkConnection, type BulkTarget } from "./bulk-connection.js";
import type { HubEnvironment } from "./environment.js";
import { HttpTimeout } from "./failures.js";
import type { ResponseBody } from "./http-body.js";
import { proxyAuthorization, proxyFor, TunnelAgent } from "./proxy.js";
import type { HubToken } from "./token.js";

export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** "report" returns a redirect as it is. Default: follow it. */
  readonly redirects?: "follow" | "report";
}

export interface HttpResponse<Body extends ResponseBody = http.IncomingMessage> {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Address that answered, after redirects. */
  readonly url: URL;
  /** Paused until it is read. Destroy it when it is not wanted. */
  readonly body: Body;
}

/** A request on its way, and how to get at the body of its answer while node:http tells of the header. */
interface OpenRequest<Body> {
  readonly outgoing: http.ClientRequest;
  readonly takeBody: (message: http.IncomingMessage) => Body | Promise<Body>;
}

type Opener<Body> = (url: URL, options: http.RequestOptions) => OpenRequest<Body>;

const maxRedirects = 5;
const redirectStatus = new Set([301, 302, 303, 307, 308]);

/**
 * Every request that parley makes to a Hub goes through one of these.
 *
 * - Offline, it refuses before a socket exists.
 * - The token goes to the origin of the Hub's endpoint and nowhere else: not to the CDN a file is redirected to,
 *   nor to another origin that a listing names.
 * - Redirects are followed by hand: five at most, never from https to http, and an Authorization header
 *   of the caller is dropped when the origin changes.
 * - The body is what the server sent: no decompression, so that lengths and hashes mean something.
 */
export class HttpClient {
  readonly #direct = {
    "http:": new http.Agent({ keepAlive: true }),
    "https:": new https.Agent({ keepAlive: true }),
  };
  readonly #tunnels = new Map<string, TunnelAgent>();
  readonly #origin: string;

  constructor(
    private readonly environment: HubEnvironment,
    private readonly token: HubToken | undefined,
  ) {
    this.#origin = new URL(environment.endpoint).origin;
  }

  /** Closes idle connections, so that the process can end. */
  close(): void {
    this.#direct["http:"].destroy();
    this.#direct["https:"].destroy();
    for (const agent of this.#tunnels.values()) agent.destroy();
  }

  /**
   * Resolves with the headers of the first answer that is no redirect, whatever its status.
   * @throws UserError HUB_OFFLINE, HUB_REDIRECT; HttpTimeout; errors of node:http
   */
  request(address: string | URL, request: HttpRequest = {}): Promise<HttpResponse> {
    return this.#follow(address, request, (url, options) => this.#openPooled(url, options), discardBody);
  }

  /**
   * The same for many megabytes: on a connection of its own and past node's parser, where there is no tunnel to go through.
   * @throws as request()
   */
  requestBulk(address: string | URL, request: HttpRequest = {}): Promise<HttpResponse<ResponseBody>> {
    // its connection is used once: nothing is gained by reading a body away
    const discard = (response: HttpResponse<ResponseBody>): void => void response.body.destroy();
    return this.#follow(address, request, (url, options) => this.#openBulk(url, options), discard);
  }

  async #follow<Body extends ResponseBody>(
    address: string | URL,
    request: HttpRequest,
    open: Opener<Body>,
    discard: (response: HttpResponse<Body>) => void,
  ): Promise<HttpResponse<Body>> {
    this.refuseOffline();
    let url = new URL(address);
    let headers = { ...request.headers };
    for (let hops = 0; ; hops += 1) {
      const response = await this.#send(url, request, headers, open);
      const location = response.headers.location;
      const isRedirect = redirectStatus.has(response.status) && location !== undefined;
      if (!isRedirect || request.redirects === "report") return response;
      discard(response);
      if (hops === maxRedirects) throw redirectError(url, `it redirects more than ${maxRedirects} times`);
      const next = redirectTarget(url, location);
      if (next.origin !== url.origin) {
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => name.toLowerCase() !== "authorization"),
        );
      }
      url = next;
    }
  }

  /** @throws UserError HUB_OFFLINE (exit 69) */
  refuseOffline(): void {
    if (!this.environment.offline) return;
    throw new UserError(
      "network",
      "HUB_OFFLINE",
      "offline mode: nothing is fetched",
      "Leave out --offline and unset HF_HUB_OFFLINE to allow it.",
    );
  }

  #send<Body extends ResponseBody>(
    url: URL,
    request: HttpRequest,
    headers: Readonly<Record<string, string>>,
    open: Opener<Body>,
  ): Promise<HttpResponse<Body>> {
    const { signal, method = "GET", body } = request;
    signal?.throwIfAborted();
    const options: http.RequestOptions = {
      method,
      headers: {
        "user-agent": "parley",
        "accept-encoding": "identity",
        ...(this.token !== undefined && url.origin === this.#origin
          ? { authorization: `Bearer ${this.token.value}` }
          : {}),
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        ...headers,
      },
    };
    const { outgoing, takeBody } = open(url, options);
    return new Promise((resolve, reject) => {
      const { headerTimeoutMs } = this.environment;
      const timer = setTimeout(
        () => outgoing.destroy(new HttpTimeout(url, headerTimeoutMs)),
        headerTimeoutMs,
      );
      const onAbort = (): void => {
        outgoing.destroy(signal?.reason as Error);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      outgoing.once("close", () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      });
      outgoing.once("error", reject);
      outgoing.once("response", (message) => {
        clearTimeout(timer);
        const { statusCode: status = 0, headers } = message;
        Promise.resolve(takeBody(message)).then((body) => resolve({ status, headers, url, body }), reject);
      });
      outgoing.end(body);
    });
  }

  #openPooled(url: URL, options: http.RequestOptions): OpenRequest<http.IncomingMessage> {
    const takeBody = (message: http.IncomingMessage): http.IncomingMessage => message;
    const proxy = proxyFor(url, this.environment.variables);
    if (url.protocol === "https:") {
      const agent = proxy ? this.#tunnel(proxy) : this.#direct["https:"];
      return { outgoing: https.request(url, { ...options, agent }), takeBody };
    }
    const agent = this.#direct["http:"];
    const outgoing = proxy
      ? http.request({ ...throughProxy(url, proxy, options), agent })
      : http.request(url, { ...options, agent });
    return { outgoing, takeBody };
  }

  #openBulk(url: URL, options: http.RequestOptions): OpenRequest<ResponseBody> {
    const proxy = proxyFor(url, this.environment.variables);
    const secure = url.protocol === "https:";
    if (secure && proxy !== undefined) return this.#openPooled(url, options);
    const { hostname, port } = proxy ?? url;
    const host = hostname.replace(/^\[|\]$/g, "");
    const target: BulkTarget = secure
      ? { secure, host, port: Number(port || 443), servername: net.isIP(host) ? "" : host }
      : { secure, host, port: Number(port || 80) };
    let connection: BulkConnection | undefined;
    const createConnection = (): BulkConnection => (connection = new BulkConnection(target));
    const outgoing = proxy
      ? http.request({ ...throughProxy(url, proxy, options), createConnection })
      : (secure ? https : http).request(url, { ...options, createConnection });
    return { outgoing, takeBody: (message) => connection!.takeBody(message) };
  }

  #tunnel(proxy: URL): TunnelAgent {
    const agent = this.#tunnels.get(proxy.href) ?? new TunnelAgent(proxy);
    this.#tunnels.set(proxy.href, agent);
    return agent;
  }
}

/** A request for an http address, as a proxy expects it. */
function throughProxy(url: URL, proxy: URL, options: http.RequestOptions): http.RequestOptions {
  return {
    ...options,
    host: proxy.hostname,
    port: proxy.port || 80,
    path: url.href,
    headers: {
      host: url.host,
      ...(options.headers as http.OutgoingHttpHeaders),
      ...proxyAuthorization(proxy),
    },
  };
}

/** Lets go of a body that nobody wants: a short one is read away, so that its connection can be used again. */
export function discardBody(response: HttpResponse<ResponseBody>): void {
  if (Number(response.headers["content-length"] ?? Infinity) <= 65_536) response.body.resume();
  else response.body.destroy();
}

function redirectTarget(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href))
    throw redirectError(from, "it redirects to something that is no address");
  const target = new URL(location, from);
  if (target.protocol !== "https:" && target.protocol !== from.protocol) {
    throw redirectError(from, `it redirects from https to ${target.protocol.replace(":", "")}`);
  }
  return target;
}

function redirectError(url: URL, reason: string): UserError {
  return new UserError(
    "network",
    "HUB_REDIRECT",
    `${url.host} does not answer as a Hub: ${reason}`,
    "Check HF_ENDPOINT and the proxy: something between parley and the Hub changes the answers.",
  );
}
