type NodeHttp = typeof import('node:http')

/** Joined at run time: bundlers for browsers would try to resolve a literal, and fail. */
const NAME = ['node', 'http'].join(':')

/**
 * Loads Node's HTTP module on demand, because the rest of the token server works in browsers too.
 *
 * @throws TypeError outside Node, Deno and Bun
 */
export const nodeHttp = async (): Promise<NodeHttp> => {
  const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } }
  try {
    // Before Node 20.16 only the import exists; in some test runners only the function works.
    return (process?.getBuiltinModule?.(NAME) ??
      (await import(/* @vite-ignore */ /* webpackIgnore: true */ NAME))) as NodeHttp
  } catch (cause) {
    throw new TypeError(
      'createTokenServer: listen() needs Node, Deno or Bun. Here, use server.fetch or server.handle.',
      { cause },
    )
  }
}
