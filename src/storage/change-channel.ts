/**
 * Hears what is said under a topic, and calls back when somebody else says something. While the page is in the back/forward
 * cache it is deaf, and calls back when it returns: an open channel would have the browser throw the page out at the next
 * message.
 *
 * @param self what the listener's own side says, which it is not to hear
 * @returns the way to stop
 */
export function hearChanges(topic: string, self: string, onChange: () => void): () => void {
  let channel: BroadcastChannel | undefined

  const open = () => {
    channel = new BroadcastChannel(topic)
    channel.onmessage = ({ data }) => {
      if (data !== self) onChange()
    }
  }
  const close = () => {
    channel?.close()
    channel = undefined
  }
  const comeBack = () => {
    if (channel) return
    open()
    onChange()
  }

  open()
  // Workers never hear such events, and Node has nobody to hear them from.
  globalThis.addEventListener?.('pagehide', close)
  globalThis.addEventListener?.('pageshow', comeBack)
  return () => {
    close()
    globalThis.removeEventListener?.('pagehide', close)
    globalThis.removeEventListener?.('pageshow', comeBack)
  }
}
