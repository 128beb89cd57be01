/** What messages go through: a `MessagePort`, or a dedicated worker from either side. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void
  removeEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void
  /** Ports have it; workers are open from the start. */
  start?(): void
}

export interface PortListeners {
  readonly message: (data: unknown) => void
  /** Something came that could not be read. */
  readonly garbled: () => void
}

/** Listens at a port. Gives the way to stop. */
export function listenAt(port: Port, { message, garbled }: PortListeners): () => void {
  const heard = (event: Event) => message((event as MessageEvent).data)
  port.addEventListener('message', heard)
  port.addEventListener('messageerror', garbled)
  port.start?.()
  return () => {
    port.removeEventListener('message', heard)
    port.removeEventListener('messageerror', garbled)
  }
}
