import { ChangeDetectionStrategy, Component } from '@angular/core'
import { injectAuth } from './auth.ts'
import { IdleWarning } from './idle-warning.ts'
import { TokenFacts } from './token-facts.ts'

/** Shows the user and the state of the token. */
@Component({
  selector: 'section[appSessionCard]',
  imports: [IdleWarning, TokenFacts],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h2 id="session">Session</h2>
    <dl appTokenFacts></dl>
    <app-idle-warning />
    <div class="buttons">
      <button data-testid="sign-out" type="button" (click)="auth.signOut()">Sign out</button>
    </div>
  `,
})
export class SessionCard {
  protected readonly auth = injectAuth()
}
