/** Numbers about the elements of a tensor. NaN and infinities are counted and left out of the others. */
export interface TensorStats {
  /** null where no element is finite. */
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Of the elements as they are (divided by their count, not by one less). */
  readonly std: number | null;
  readonly nan: number;
  readonly inf: number;
}

/** Gathers the numbers piece by piece, in double precision. */
export class StatsGatherer {
  #count = 0;
  #mean = 0;
  /** Sum of squared distances from the mean. */
  #squares = 0;
  #min = Infinity;
  #max = -Infinity;
  #nan = 0;
  #inf = 0;

  add(values: Float32Array | Float64Array): void {
    // Distances from a value of the piece itself: sums of squares around zero would cancel where the mean is large.
    const shift = values.find((value) => value - value === 0) ?? 0;
    let [count, sum, squares, min, max] = [0, 0, 0, this.#min, this.#max];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (value - value !== 0) {
        if (Number.isNaN(value)) this.#nan++;
        else this.#inf++;
        continue;
      }
      const distance = value - shift;
      count++;
      sum += distance;
      squares += distance * distance;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#min = min;
    this.#max = max;
    if (count > 0) this.#merge(count, shift + sum / count, Math.max(0, squares - (sum * sum) / count));
  }

  result(): TensorStats {
    const counts = { nan: this.#nan, inf: this.#inf };
    if (this.#count === 0) return { min: null, max: null, mean: null, std: null, ...counts };
    const std = Math.sqrt(this.#squares / this.#count);
    return { min: this.#min, max: this.#max, mean: this.#mean, std, ...counts };
  }

  /** Chan, Golub, LeVeque: updating formulae for sample variances (1979), two sets into one. */
  #merge(count: number, mean: number, squares: number): void {
    const total = this.#count + count;
    const between = mean - this.#mean;
    this.#squares += squares + (between * between * this.#count * count) / total;
    this.#mean += (between * count) / total;
    this.#count = total;
  }
}
