import { rounded } from "../system/rounded.js";

/** How much of the memory's bandwidth a model uses. Rates are in GB/s, 10^9 bytes each second. */
export interface MemoryUse {
  /** what the weights alone make: caches and activations come on top */
  readonly gigabytes_per_second: number;
  /** what as many threads read that do nothing else; null when it was not measured */
  readonly machine_gigabytes_per_second: number | null;
  /** the first by the second */
  readonly share: number | null;
}

/**
 * @param bytes of weights that a step reads
 * @param stepsPerSecond tokens or frames
 * @param machine what the machine reads, in GB/s
 */
export function memoryUse(bytes: number, stepsPerSecond: number, machine: number | undefined): MemoryUse {
  const used = (bytes * stepsPerSecond) / 1e9;
  return {
    gigabytes_per_second: rounded(used),
    machine_gigabytes_per_second: machine === undefined ? null : rounded(machine),
    share: machine === undefined ? null : rounded(used / machine),
  };
}
