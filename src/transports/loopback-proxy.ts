/**
 * Whether requests to this machine leave it nevertheless, because the runtime sends plain http to the proxy of its environment.
 * Bun and Deno always do, Node with an option.
 */
export function isProxied({ hostname }: URL): boolean {
  try {
    const { env, execArgv, versions } = process
    const read = (name: string) => env[name] ?? env[name.toUpperCase()]
    const isUsed =
      versions.bun ||
      versions.deno ||
      /proxy/.test(`${execArgv}${env.NODE_OPTIONS}`) ||
      env.NODE_USE_ENV_PROXY
    if (!isUsed || !(read('http_proxy') || read('all_proxy'))) return false
    return !read('no_proxy')
      ?.split(/[\s,]+/)
      .some((name) => name === '*' || name === hostname)
  } catch {
    // Without an environment, and if it must not be read, no proxy is known.
    return false
  }
}
