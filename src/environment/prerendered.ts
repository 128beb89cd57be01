const page = () => document as Document & { readonly prerendering?: boolean }

/** Whether the browser has loaded this page in advance: the user does not look at it yet, and may never do so. */
export const isPrerendered = (): boolean => typeof document !== 'undefined' && page().prerendering === true

/** Resolves when the page is shown; `undefined` if it is not prerendered. */
export const whenShown = (): Promise<unknown> | undefined =>
  isPrerendered()
    ? new Promise((resolve) => page().addEventListener('prerenderingchange', resolve, { once: true }))
    : undefined
