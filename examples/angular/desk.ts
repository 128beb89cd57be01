import { ChangeDetectionStrategy, Component, signal } from '@angular/core'
import { endSession, expireToken, type Item, loadItems, sendBurst } from '../common/actions.ts'
import { SessionCard } from './session-card.ts'

/** The page of a signed-in user. */
@Component({
  selector: 'div[appDesk]',
  imports: [SessionCard],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <section appSessionCard class="card" aria-labelledby="session"></section>
    <section class="card" aria-labelledby="books">
      <h2 id="books">Reading list</h2>
      <ul data-testid="items">
        @for (item of items(); track item.id) {
          <li>
            <cite>{{ item.title }}</cite> <span>{{ item.by }}</span>
          </li>
        }
      </ul>
      <p data-testid="message" class="message" role="status">{{ message() }}</p>
      <div class="buttons">
        <button data-testid="load" type="button" class="primary" (click)="load()">Load the list</button>
        <button data-testid="burst" type="button" (click)="burst()">Send 50 requests</button>
      </div>
    </section>
    <section class="card" aria-labelledby="trouble">
      <h2 id="trouble">Make trouble</h2>
      <p class="hint">The server does this without notifying the app. Then send something.</p>
      <div class="buttons">
        <button data-testid="expire-token" type="button" (click)="expireToken()">Expire the token</button>
        <button data-testid="end-session" type="button" (click)="endSession()">
          End the session on the server
        </button>
      </div>
    </section>
  `,
})
export class Desk {
  protected readonly items = signal<readonly Item[]>([])
  protected readonly message = signal('')

  protected readonly load = () => this.#run(() => this.#load())
  protected readonly burst = () => this.#run(sendBurst)
  protected readonly expireToken = () => this.#run(expireToken)
  protected readonly endSession = () => this.#run(endSession)

  async #run(action: () => Promise<string>) {
    this.message.set('Waiting for the server …')
    this.message.set(await action())
  }

  async #load() {
    const { items, message } = await loadItems()
    this.items.set(items)
    return message
  }
}
