/** Production builds carry no texts. The docs list what each reason means. */
export const textOf = (reason: string): string => `oauth_failed (${reason})`
