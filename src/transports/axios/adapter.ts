import {
  type AxiosAdapter,
  type AxiosError,
  AxiosHeaders,
  type AxiosInstance,
  create,
  getAdapter,
} from 'axios'
import type { Config } from './config.ts'
import { recordResponses } from './response.ts'

/** Adapters by name, or an adapter. */
export type AdapterOption = AxiosInstance['defaults']['adapter']

/** What axios's fetch adapter is made of. Their classes are compared, never called. */
interface Environment {
  readonly fetch?: typeof fetch
  readonly Request?: unknown
  readonly Response?: unknown
  readonly Blob?: unknown
}

/** The axios package that made an instance. It may be another copy than the one that this module imports. */
export interface OwnAxios {
  /** Finds the adapter for a request. */
  adapterFor(option: AdapterOption, config: Config): AxiosAdapter
  /** The class of its errors. */
  errorClass(): Promise<typeof AxiosError>
}

/** Finds out how to send and how to fail as the axios package of an instance does. */
export function ownAxios(instance: AxiosInstance): OwnAxios {
  let last: { readonly option: AdapterOption; readonly adapter: AxiosAdapter; readonly env: Environment }
  let made: AxiosInstance | undefined
  const bare = () => (made ??= createBare(instance))

  return {
    adapterFor(option, config) {
      if (typeof option === 'function') return option
      const env = config.env as Environment | undefined
      const ownFetch = env?.fetch ?? globalThis.fetch
      const fetch = ownFetch && recordResponses(ownFetch)
      if (!(config.headers instanceof AxiosHeaders)) {
        const settings = {
          adapter: option,
          transformRequest: [],
          transformResponse: [],
          env: { ...env, fetch },
        }
        return (sent) => bare().request({ ...sent, ...(settings as object) })
      }
      // Only the fetch adapter depends on the config, by its `env`, so the last one that was found usually fits.
      if (
        last?.option === option &&
        last.env.fetch === ownFetch &&
        last.env.Request === env?.Request &&
        last.env.Response === env?.Response &&
        last.env.Blob === env?.Blob
      )
        return last.adapter
      const adapter = getAdapter(option, { env: { ...env, fetch } } as Config)
      last = { option, adapter, env: { ...env, fetch: ownFetch } }
      return adapter
    },

    errorClass: () =>
      bare()
        .request({ adapter: [] })
        .then(undefined, (error) => error.constructor),
  }
}

/** An instance of the same package without interceptors and defaults: what it gets is sent as it is. */
function createBare(instance: AxiosInstance): AxiosInstance {
  const bare = (instance.create ?? create)()
  for (const key of Object.keys(bare.defaults)) delete bare.defaults[key as never]
  return bare
}
