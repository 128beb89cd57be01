/** Production builds do not check options: a mistake shows during development. */
export const checkOptions = (): void => {}
export const checkNumber = (): void => {}
