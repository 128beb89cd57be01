import {
  afterNextRender,
  ChangeDetectionStrategy,
  Component,
  DestroyRef,
  ElementRef,
  inject,
} from '@angular/core'
import { openDialog } from '../common/dialog.ts'
import { reasonWords, waitingWords } from '../common/words.ts'
import { injectAuth, injectAuthState } from './auth.ts'
import { SignInForm } from './sign-in-form.ts'

/** A dialog over the page, which does not change. Held requests continue after the sign-in. */
@Component({
  selector: 'dialog[appSignInAgain]',
  imports: [SignInForm],
  changeDetection: ChangeDetectionStrategy.OnPush,
  template: `
    <h2 id="expired">Your session has ended</h2>
    <p data-testid="expired-reason">{{ reason() }} Sign in again to go on where you were.</p>
    <p data-testid="held" role="status">{{ waiting() }}</p>
    <form appSignIn></form>
    <button data-testid="leave" type="button" class="quiet" (click)="auth.signOut()">Sign out instead</button>
  `,
})
export class SignInAgain {
  protected readonly auth = injectAuth()
  protected readonly reason = injectAuthState(({ reason }) => reasonWords(reason))
  protected readonly waiting = injectAuthState(({ held }) => waitingWords(held))

  constructor() {
    const dialog: ElementRef<HTMLDialogElement> = inject(ElementRef)
    const destroyRef = inject(DestroyRef)
    afterNextRender(() => destroyRef.onDestroy(openDialog(dialog.nativeElement)))
  }
}
