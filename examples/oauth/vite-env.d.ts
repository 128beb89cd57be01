/** The address of the provider, which the configuration of Vite sets. */
declare const ISSUER: string
