/** The SHA-256 of a text in base64url, as the claim `ath` of a proof has it (RFC 9449 §4.2). */
export const hash = async (text: string): Promise<string> =>
  Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('base64url')
