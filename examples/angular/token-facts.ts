import { ChangeDetectionStrategy, Component, computed } from '@angular/core'
import { stateWords, timeWords } from '../common/words.ts'
import { injectAuthState, injectSession } from './auth.ts'
import { injectNow } from './now.ts'
import { UserName } from './user-name.ts'

@Component({
  selector: 'dl[appTokenFacts]',
  imports: [UserName],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <div>
      <dt>User</dt>
      <dd appUserName data-testid="user"></dd>
    </div>
    <div>
      <dt>State</dt>
      <dd data-testid="state" [attr.data-state]="state()">{{ words() }}</dd>
    </div>
    <div>
      <dt>Token</dt>
      <dd data-testid="generation">{{ generation() }}</dd>
    </div>
    <div>
      <dt>Lives for</dt>
      <dd data-testid="countdown">{{ left() }}</dd>
    </div>
  `,
})
export class TokenFacts {
  readonly #session = injectSession()
  readonly #now = injectNow()
  protected readonly state = injectAuthState()
  protected readonly words = computed(() => stateWords(this.state()))
  protected readonly generation = injectSession((session) => (session ? `no. ${session.generation}` : 'none'))
  protected readonly left = computed(() =>
    timeWords((this.#session()?.expiresAt ?? this.#now()) - this.#now()),
  )
}
