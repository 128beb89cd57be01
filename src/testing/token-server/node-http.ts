type NodeHttp = typeof import('node:http')

/** In two parts, or bundlers for browsers would look for it and fail. */
const NAME = ['node', 'http'].join(':')

/**
 * Node's HTTP module, found when it is needed: the rest of the token server works in browsers, too.
 *
 * @throws TypeError where there is none
 */
export const nodeHttp = async (): Promise<NodeHttp> => {
  const { process } = globalThis as { readonly process?: { getBuiltinModule?(name: string): unknown } }
  try {
    // Before Node 20.16 only the import is there, and in some test runners only the function works.
    return (process?.getBuiltinModule?.(NAME) ??
      (await import(/* @vite-ignore */ /* webpackIgnore: true */ NAME))) as NodeHttp
  } catch (cause) {
    throw new TypeError(
      'createTokenServer: listen() needs Node, and there is none here. Use server.fetch or server.handle.',
      { cause },
    )
  }
}
