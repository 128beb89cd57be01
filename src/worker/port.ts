/** A channel for messages: a `MessagePort`, or either side of a dedicated worker. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void
  removeEventListener(type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void): void
  /** Only ports have this method; workers receive messages from the start. */
  start?(): void
}

export interface PortListeners {
  readonly message: (data: unknown) => void
  /** Called for a message that could not be deserialized. */
  readonly garbled: () => void
}

/** Listens to a port. Returns a function that stops listening. */
export function listenAt(port: Port, { message, garbled }: PortListeners): () => void {
  const received = (event: Event) => message((event as MessageEvent).data)
  port.addEventListener('message', received)
  port.addEventListener('messageerror', garbled)
  port.start?.()
  return () => {
    port.removeEventListener('message', received)
    port.removeEventListener('messageerror', garbled)
  }
}
