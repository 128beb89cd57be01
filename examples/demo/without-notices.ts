/** Hides warnings of oidc-provider that matter only in production: a store in memory, an old Node. */
export async function withoutNotices<T>(work: () => Promise<T>): Promise<T> {
  const { info, warn } = console
  const unless =
    (print: typeof info) =>
    (first: unknown, ...rest: unknown[]) => {
      if (!/oidc-provider (NOTICE|WARNING)/.test(String(first))) print(first, ...rest)
    }
  console.info = unless(info)
  console.warn = unless(warn)
  try {
    return await work()
  } finally {
    Object.assign(console, { info, warn })
  }
}
