/** A symbol of `Symbol`, if the surrounding types know it: `esnext.disposable` of TypeScript, or `@types/node`. */
export type SymbolNamed<Name extends string> = SymbolConstructor extends {
  readonly [N in Name]: infer Key extends symbol
}
  ? Key
  : never

/** `[Symbol.dispose]`, for `using`. Apps whose types know no such symbol compile all the same. */
export type Disposes = { readonly [Key in SymbolNamed<'dispose'>]: () => void }

/** `[Symbol.asyncDispose]`, for `await using`. */
export type AsyncDisposes = { readonly [Key in SymbolNamed<'asyncDispose'>]: () => Promise<void> }

/** The key of `using`. Where it does not exist yet, esbuild and Babel let `using` look for a registered symbol of this name. */
export const disposeKey = (): typeof Symbol.dispose =>
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose)

/** The key of `await using`. */
export const asyncDisposeKey = (): typeof Symbol.asyncDispose =>
  Symbol.asyncDispose ?? (Symbol.for('Symbol.asyncDispose') as typeof Symbol.asyncDispose)
