/**
 * How long a popup waits for its opener to take the answer, in milliseconds. Then it completes the sign-in itself.
 */
const PATIENCE = 2_000

/** Named by `state`, which only windows of this sign-in know. It works across a `Cross-Origin-Opener-Policy` of the server. */
export const openChannel = (state: string): BroadcastChannel =>
  new BroadcastChannel(`authchart.oauth2.${state}`)

/** What the opener answers. */
export const TAKEN = 'taken'

/**
 * Hands an answer to the window that opened this one, and closes this one.
 *
 * @returns whether the opener took it
 */
export async function handOver(state: string, answer: URLSearchParams): Promise<boolean> {
  if (!state || typeof BroadcastChannel === 'undefined') return false
  const channel = openChannel(state)
  const isTaken = await new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), PATIENCE)
    channel.onmessage = ({ data }) => data === TAKEN && resolve(true)
    channel.postMessage(answer.toString())
  })
  channel.close()
  if (isTaken) window.close()
  return isTaken
}
