/** Production builds explain nothing: a mistake shows during development. */
export const forgetHints = (): void => {}
export const explainTokenless = (): void => {}
export const followTokenless = () => () => {}
export const explainAnonymous = (): void => {}
export const explainLifetime = (): void => {}
export const explainMissing = (): void => {}
export const explainFailure = (): void => {}
export const explainListener = (): void => {}
export const explainEvent = (): void => {}
export const explainOptions = (): void => {}
export const explainArgument = (): void => {}
export const EVENTS: readonly string[] = []
