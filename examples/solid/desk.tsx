/** @jsxImportSource solid-js */
import { createSignal, For } from 'solid-js'
import { endSession, expireToken, type Item, loadItems, sendBurst } from '../common/actions.ts'
import { SessionCard } from './session-card.tsx'

/** The page of a signed-in user. */
export function Desk() {
  const [items, setItems] = createSignal<readonly Item[]>([])
  const [message, setMessage] = createSignal('')

  const run = (action: () => Promise<string>) => async () => {
    setMessage('Waiting for the server …')
    setMessage(await action())
  }
  const load = run(async () => {
    const { items, message } = await loadItems()
    setItems(items)
    return message
  })

  return (
    <div data-testid="view-signed-in" class="desk">
      <SessionCard />
      <section class="card" aria-labelledby="books">
        <h2 id="books">Reading list</h2>
        <ul data-testid="items">
          <For each={items()}>
            {({ title, by }) => (
              <li>
                <cite>{title}</cite> <span>{by}</span>
              </li>
            )}
          </For>
        </ul>
        <p data-testid="message" class="message" role="status">
          {message()}
        </p>
        <div class="buttons">
          <button data-testid="load" type="button" class="primary" onClick={load}>
            Load the list
          </button>
          <button data-testid="burst" type="button" onClick={run(sendBurst)}>
            Send 50 requests
          </button>
        </div>
      </section>
      <section class="card" aria-labelledby="trouble">
        <h2 id="trouble">Make trouble</h2>
        <p class="hint">The server does this without notifying the app. Then send something.</p>
        <div class="buttons">
          <button data-testid="expire-token" type="button" onClick={run(expireToken)}>
            Expire the token
          </button>
          <button data-testid="end-session" type="button" onClick={run(endSession)}>
            End the session on the server
          </button>
        </div>
      </section>
    </div>
  )
}
