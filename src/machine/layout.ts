/**
 * Struct layouts, declared once and typed.
 *
 * A pointer carries the struct that it points to ({@link Ptr}), a field the struct that it belongs to and
 * its kind ({@link Field}); `get(mm, vm_area_struct.vm_start)` does not compile for an mm. Both are plain
 * numbers at run time: a byte address and a byte offset.
 */
import { checkLayout, hashText } from './memory.ts';

/** A byte address of an object of struct `S`; 0 is NULL. */
export type Ptr<S extends string> = number & { readonly pointsTo: S };
/** The byte offset of a field of struct `S` of kind `K`. */
export type Field<S extends string, K> = number & { readonly ofStruct: S; readonly ofKind: K };

/** NULL, for any struct. */
// biome-ignore lint/suspicious/noExplicitAny: NULL is a pointer to every struct
export const NULL = 0 as Ptr<any>;

/** A field's kind: its size and alignment in bytes, and as `K` what the accessors accept. */
export interface Kind<K> {
  readonly tag: string;
  readonly bytes: number;
  readonly align: number;
  readonly ofKind?: K;
}

export type Word = 'word';
export type Ulong = 'ulong';
export interface PointerTo<T extends string> {
  readonly to: T;
}
export interface Embedded<T extends string> {
  readonly embeds: T;
}
export type Bytes = 'bytes';

/** A 32-bit signed word: int, flags, atomic_t, lock words. */
export const word: Kind<Word> = { tag: 'w', bytes: 4, align: 4 };
/** "unsigned long": a double, exact up to 2^53-1. Never used with Atomics. */
export const ulong: Kind<Ulong> = { tag: 'u', bytes: 8, align: 8 };
/** A pointer to struct `T`. */
export function pointer<T extends string>(to: T): Kind<PointerTo<T>> {
  return { tag: `p:${to}`, bytes: 4, align: 4 };
}
/** Room of `count` words, reached by {@link element}. */
export function words(count: number): Kind<Bytes> {
  return { tag: `w[${count}]`, bytes: 4 * count, align: 4 };
}
/** Room of `count` unsigned longs. */
export function ulongs(count: number): Kind<Bytes> {
  return { tag: `u[${count}]`, bytes: 8 * count, align: 8 };
}
/** Another struct inside this one. */
export function embed<T extends string>(inner: StructInfo<T>): Kind<Embedded<T>> {
  return { tag: `e:${inner.NAME}:${inner.HASH}`, bytes: inner.SIZE, align: inner.ALIGN };
}
/** Room of `count` structs. */
export function embedArray<T extends string>(inner: StructInfo<T>, count: number): Kind<Embedded<T>> {
  return { tag: `e[${count}]:${inner.NAME}:${inner.HASH}`, bytes: inner.SIZE * count, align: inner.ALIGN };
}

/** What every declared struct says of itself. */
export interface StructInfo<N extends string> {
  readonly NAME: N;
  /** Size in bytes, a multiple of {@link ALIGN}. */
  readonly SIZE: number;
  readonly ALIGN: number;
  /** Changes when any field moves. */
  readonly HASH: number;
}

type KindOf<T> = T extends Kind<infer K> ? K : never;
/** A struct: its info, and each field as a typed offset. */
export type Struct<N extends string, F> = StructInfo<N> & { readonly [P in keyof F]: Field<N, KindOf<F[P]>> };

const layouts = new Map<string, Readonly<Record<string, number>>>();

/** Every struct declared so far in this thread, by name: its fields' offsets, SIZE and ALIGN. For the build. */
export function declaredLayouts(): ReadonlyMap<string, Readonly<Record<string, number>>> {
  return layouts;
}

/**
 * Declares a struct. Fields are laid out in order, each on its natural alignment.
 * @param align  alignment of the whole, e.g. 64 to keep neighbours off its cache lines
 */
export function struct<N extends string, F extends Record<string, Kind<unknown>>>(name: N, fields: F, align = 8): Struct<N, F> {
  const out: Record<string, unknown> = {};
  let offset = 0;
  let text = name as string;
  for (const [field, kind] of Object.entries(fields)) {
    offset = Math.ceil(offset / kind.align) * kind.align;
    out[field] = offset;
    text += `;${field}:${kind.tag}@${offset}`;
    offset += kind.bytes;
  }
  const bytes = Math.ceil(offset / align) * align;
  const hash = hashText(`${text};${bytes}`);
  checkLayout(name, hash);
  layouts.set(name, { ...(out as Record<string, number>), SIZE: bytes, ALIGN: align });
  return Object.freeze({ ...out, NAME: name, SIZE: bytes, ALIGN: align, HASH: hash }) as unknown as Struct<N, F>;
}
