/** How much of what there is has been seen, and how much may be left. */

export class Saturation {
  private readonly features = new Set<number>();
  private readonly traces = new Map<number, number>();

  /** Adds features; tells whether one was new. */
  addFeatures(features: readonly number[]): boolean {
    const before = this.features.size;
    for (const feature of features) this.features.add(feature);
    return this.features.size > before;
  }

  addTraces(traces: Float64Array): void {
    for (const trace of traces) this.traces.set(trace, (this.traces.get(trace) ?? 0) + 1);
  }

  get featureCount(): number {
    return this.features.size;
  }
  get traceCount(): number {
    return this.traces.size;
  }

  /**
   * About how many traces there are that this way of searching can reach: A. Chao's lower bound (Scandinavian Journal of
   * Statistics 11, 1984) from the traces seen once and twice.
   */
  estimateTraces(): number {
    let once = 0;
    let twice = 0;
    for (const count of this.traces.values()) {
      if (count === 1) once++;
      else if (count === 2) twice++;
    }
    return Math.round(this.traces.size + (twice > 0 ? once ** 2 / (2 * twice) : (once * (once - 1)) / 2));
  }
}
