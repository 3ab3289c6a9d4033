/** Names for objects without a name: R1, R2, ... by first appearance. An address that was freed gets a new name. */
export function objectIds(prefix: string): { of(address: number, freed: boolean): string } {
  const names = new Map<number, string>();
  let count = 0;
  return {
    of(address, freed) {
      let name = names.get(address);
      if (name === undefined) {
        name = `${prefix}${++count}`;
        names.set(address, name);
      }
      if (freed) names.delete(address);
      return name;
    },
  };
}
