import { type Accessor, createSignal, onCleanup } from 'solid-js'
import { onTick } from '../common/time.ts'

/** The current time, updated by a timer. */
export function createNow(): Accessor<number> {
  const [now, setNow] = createSignal(Date.now())
  onCleanup(onTick(setNow))
  return now
}
