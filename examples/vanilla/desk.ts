import { endSession, expireToken, type Item, loadItems, sendBurst } from '../common/actions.ts'
import { create, type Part, within } from './part.ts'
import { createSessionCard } from './session-card.ts'

const MARKUP = `
  <div data-testid="view-signed-in" class="desk">
    <section class="card" aria-labelledby="books">
      <h2 id="books">Reading list</h2>
      <ul data-testid="items"></ul>
      <p data-testid="message" class="message" role="status"></p>
      <div class="buttons">
        <button data-testid="load" type="button" class="primary">Load the list</button>
        <button data-testid="burst" type="button">Send 50 requests</button>
      </div>
    </section>
    <section class="card" aria-labelledby="trouble">
      <h2 id="trouble">Make trouble</h2>
      <p class="hint">The server does this without notifying the app. Then send something.</p>
      <div class="buttons">
        <button data-testid="expire-token" type="button">Expire the token</button>
        <button data-testid="end-session" type="button">End the session on the server</button>
      </div>
    </section>
  </div>
`

function createItem({ title, by }: Item): HTMLElement {
  const item = create('<li><cite></cite> <span></span></li>')
  ;(item.firstElementChild as HTMLElement).textContent = title
  ;(item.lastElementChild as HTMLElement).textContent = by
  return item
}

/** The page of a signed-in user. */
export function createDesk(): Part {
  const element = create(MARKUP)
  const card = createSessionCard()
  element.prepend(card.element)
  const message = within(element, 'message')

  const actions: Record<string, () => Promise<string>> = {
    async load() {
      const { items, message } = await loadItems()
      within(element, 'items').replaceChildren(...items.map(createItem))
      return message
    },
    burst: sendBurst,
    'expire-token': expireToken,
    'end-session': endSession,
  }
  for (const [id, action] of Object.entries(actions)) {
    within(element, id).onclick = async () => {
      message.textContent = 'Waiting for the server …'
      message.textContent = await action()
    }
  }
  return { element, end: card.end }
}
