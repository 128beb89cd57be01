import { type Resource, untrack } from 'solid-js'

/**
 * Lets a resource that failed load again when it is read, such as by the children of an error boundary that is reset. Not at
 * once, because each reader has to pass the error to its boundary first.
 */
export function loadAgain<T>(resource: Resource<T>, refetch: () => unknown): Resource<T> {
  let canRefetch = false
  let isScheduled = false
  const prepare = () => {
    if (untrack(() => resource.state) !== 'errored') return
    if (!canRefetch) {
      if (!isScheduled)
        setTimeout(() => {
          canRefetch = true
        })
      isScheduled = true
      return
    }
    canRefetch = false
    isScheduled = false
    refetch()
  }
  return new Proxy(resource, {
    apply(target) {
      prepare()
      return target()
    },
    get(target, name) {
      if (name === 'latest') prepare()
      return Reflect.get(target, name)
    },
  })
}
