/** A hosted service, for a page that names an address at one. */
export interface Service {
  readonly url: string
  /** All access tokens expire. */
  expire(): void
  close(): Promise<void>
}
