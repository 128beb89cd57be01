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
