/** "Did you mean ...?" */

/** Edit distance with swaps of neighbours (Damerau's, restricted). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...new Array<number>(b.length).fill(0)]);
  const at = (i: number, j: number) => rows[i]?.[j] ?? 0;
  for (let j = 1; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, at(i - 2, j - 2) + 1);
      (rows[i] as number[])[j] = least;
    }
  }
  return at(a.length, b.length);
}

/** ` (did you mean X?)` when one of `known` is close to `wrong`, else nothing. */
export function didYouMean(wrong: string, known: Iterable<string>, prefix = ''): string {
  let best = '';
  let least = Math.max(1, Math.floor(wrong.length / 3)) + 1;
  for (const name of known) {
    const d = distance(wrong, name);
    if (d < least) {
      best = name;
      least = d;
    }
  }
  return best === '' ? '' : ` (did you mean ${prefix}${best}?)`;
}
