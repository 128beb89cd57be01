/** The twin for browsers, which do not say why a connection failed. */
export const isNotConnected = (_code: string, _message: string): boolean => false
export const isConnectionLost = (_message: string): boolean => false
