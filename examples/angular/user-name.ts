import { ChangeDetectionStrategy, Component } from '@angular/core'
import { lastUser } from '../common/session.ts'
import { drawn } from '../common/start.ts'
import { injectSession } from './auth.ts'

/** Selects only the user, so a new token does not render it again. */
@Component({
  selector: 'dd[appUserName]',
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `{{ drawn('user', user()) }}`,
})
export class UserName {
  protected readonly drawn = drawn
  protected readonly user = injectSession((session) => session?.subject ?? lastUser())
}
