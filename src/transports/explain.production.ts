/** Production builds explain nothing. */
export const explainTransport = (): void => {}
export const explainBypass = (): void => {}
export const explainAxios = (): void => {}
export const explainAngular = (): void => {}
