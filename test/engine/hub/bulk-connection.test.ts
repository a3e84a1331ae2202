import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net, { type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { BulkBody } from "../../../src/engine/hub/bulk-body.js";
import { BulkConnection, type BulkTarget } from "../../../src/engine/hub/bulk-connection.js";
import { pumpBody, type ChunkSink, type ResponseBody } from "../../../src/engine/hub/http-body.js";
import { noise } from "./server/served-repo.js";
import { testCertificate, testKey } from "./server/test-certificate.js";

const content = noise(5_000_000);
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listen(server: net.Server | http.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  cleanups.push(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that answers every request with these bytes and then does as it is told. */
function rawServer(
  answer: Uint8Array,
  then: (socket: net.Socket) => void = () => undefined,
): Promise<number> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(answer, () => then(socket)));
  });
  return listen(server);
}

/** Passes on what a server sends after the handshake only when all of it has come. */
function gathering(port: number): Promise<number> {
  const relay = net.createServer({ allowHalfOpen: true }, (client) => {
    const server = net.connect({ port, host: "localhost", allowHalfOpen: true });
    const late: Buffer[] = [];
    let asked = 0;
    client.on("data", (bytes) => {
      asked += 1;
      server.write(bytes);
    });
    // the client's second flight ends its handshake and brings the request
    server.on("data", (bytes: Buffer) => (asked < 2 ? client.write(bytes) : late.push(bytes)));
    server.on("end", () => client.end(Buffer.concat(late)));
    for (const socket of [client, server]) socket.on("error", () => undefined);
    cleanups.push(() => [client, server].forEach((socket) => socket.destroy()));
  });
  return listen(relay);
}

function withHeader(header: string, body: Uint8Array = content): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${header}\r\n\r\n`), body]);
}

interface OpenBody {
  readonly body: ResponseBody;
  readonly request: http.ClientRequest;
  readonly connection: BulkConnection;
}

async function get(port: number, tls?: { ca: string }): Promise<OpenBody> {
  const host = "localhost";
  const target: BulkTarget = tls ? { secure: true, host, port, ...tls } : { secure: false, host, port };
  const connection = new BulkConnection(target);
  cleanups.push(() => connection.destroy());
  const options = { host, port, createConnection: () => connection };
  const request = (tls ? https : http).get(options);
  request.on("error", () => undefined);
  const body = await new Promise<ResponseBody>((resolve) => {
    request.once("response", (message) => resolve(connection.takeBody(message)));
  });
  return { body, request, connection };
}

/** Reads a body, pausing at every chunk for so long. */
async function read(body: ResponseBody, pauseMs?: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sink: ChunkSink = (chunk) => {
    chunks.push(Buffer.from(chunk));
    return pauseMs === undefined ? undefined : sleep(pauseMs);
  };
  await pumpBody({ body }, sink, { stallMs: 1000 });
  return Buffer.concat(chunks);
}

describe("BulkConnection", () => {
  it.each([undefined, 0, 3])("hands over a body, with pauses of %s ms", async (pauseMs) => {
    const { body } = await get(await rawServer(withHeader(`Content-Length: ${content.length}`)));
    expect(body).toBeInstanceOf(BulkBody);
    expect((await read(body, pauseMs)).equals(content)).toBe(true);
  });

  it.each([undefined, 0, 3])("does so over TLS, with pauses of %s ms", async (pauseMs) => {
    const server = https.createServer({ key: testKey, cert: testCertificate }, (_, response) => {
      response.writeHead(200, { "content-length": content.length }).end(content);
    });
    const { body } = await get(await listen(server), { ca: testCertificate });
    expect(body).toBeInstanceOf(BulkBody);
    expect((await read(body, pauseMs)).equals(content)).toBe(true);
  });

  it.each([
    ["in chunks", ["Transfer-Encoding: chunked"], ["3\r\nabc\r\n", "0\r\n\r\n"], "abc"],
    ["without a length", ["X: y"], ["ab", "c"], "abc"],
    ["with a length", ["Content-Length: 3"], ["a", "bc"], "abc"],
    ["that is cut", ["Content-Length: 4"], ["a", "bc"], "cut"],
  ])("reads a body %s over TLS whose end comes with its header", async (_, header, pieces, expected) => {
    const server = tls.createServer({ key: testKey, cert: testCertificate }, (socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        // a record each
        for (const part of [`HTTP/1.1 200 OK\r\n${header.join("\r\n")}\r\n\r\n`, ...pieces])
          socket.write(part);
        socket.end();
      });
    });
    const { body } = await get(await gathering(await listen(server)), { ca: testCertificate });
    const text = read(body).then(String, (error: { kind?: string }) => error.kind);
    expect(await text).toBe(expected);
  });

  it("closes the connection after the last byte", async () => {
    const { body, connection } = await get(await rawServer(withHeader(`Content-Length: ${content.length}`)));
    const closed = once(connection, "close");
    await read(body);
    await closed;
  });

  it.each([
    ["in chunks", withHeader("Transfer-Encoding: chunked", Buffer.from("3\r\nabc\r\n0\r\n\r\n")), "abc"],
    ["without a length", withHeader("X: y", Buffer.from("abc")), "abc"],
    ["that is there already", withHeader("Content-Length: 3", Buffer.from("abc")), "abc"],
    ["that is empty", withHeader("Content-Length: 0", Buffer.alloc(0)), ""],
  ])("leaves a body %s to node", async (_, answer, expected) => {
    const { body } = await get(await rawServer(answer, (socket) => socket.end()));
    expect(body).not.toBeInstanceOf(BulkBody);
    expect((await read(body)).toString()).toBe(expected);
  });

  it("takes no more than the length says", async () => {
    const answer = withHeader(`Content-Length: ${content.length - 1000}`);
    expect((await read((await get(await rawServer(answer))).body)).length).toBe(content.length - 1000);
  });

  it.each<[string, (socket: net.Socket) => void]>([
    ["ends", (socket) => socket.end()],
    ["is reset", (socket) => socket.resetAndDestroy()],
  ])("tells when the connection %s too early", async (_, then) => {
    const { body } = await get(await rawServer(withHeader(`Content-Length: ${content.length + 1}`), then));
    await expect(read(body)).rejects.toMatchObject({ name: "TransferFailure", kind: "cut" });
  });

  it("tells of an end that came before it was read", async () => {
    const answer = withHeader("Content-Length: 100", Buffer.from("abc"));
    const { body, connection } = await get(await rawServer(answer));
    const closed = once(connection, "close");
    connection.destroy();
    await closed;
    await expect(read(body)).rejects.toMatchObject({ kind: "cut" });
  });

  it("tells of standing still", async () => {
    const { body } = await get(await rawServer(withHeader("Content-Length: 100", Buffer.from("abc"))));
    await expect(read(body)).rejects.toMatchObject({ kind: "stalled" });
  });

  it("ends with the request", async () => {
    const { body, request } = await get(
      await rawServer(withHeader("Content-Length: 100", Buffer.from("abc"))),
    );
    setTimeout(() => request.destroy(new Error("enough")), 20);
    await expect(read(body)).rejects.toMatchObject({ message: "the transfer was cut off (enough)" });
  });
});
