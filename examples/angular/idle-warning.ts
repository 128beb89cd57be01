import { ChangeDetectionStrategy, Component, computed } from '@angular/core'
import { stay } from '../common/actions.ts'
import { idleTime } from '../common/session.ts'
import { IDLE_WARNING } from '../common/time.ts'
import { timeWords } from '../common/words.ts'
import { injectSession } from './auth.ts'
import { injectNow } from './now.ts'

@Component({
  selector: 'app-idle-warning',
  changeDetection: ChangeDetectionStrategy.OnPush,
  styles: ':host { display: contents }',
  template: `
    @if (soon()) {
      <div data-testid="idle-warning" class="warning">
        <p role="status">Nothing happens here. You will be signed out soon.</p>
        <button data-testid="stay" type="button" (click)="stay()">
          Stay signed in <span data-testid="idle-time">({{ rest() }} left)</span>
        </button>
      </div>
    }
  `,
})
export class IdleWarning {
  protected readonly stay = stay
  readonly #signedIn = injectSession((session) => session !== undefined)
  readonly #now = injectNow()
  readonly #left = computed(() => idleTime(this.#now()))
  protected readonly soon = computed(() => this.#signedIn() && this.#left() <= IDLE_WARNING)
  protected readonly rest = computed(() => timeWords(this.#left()))
}
