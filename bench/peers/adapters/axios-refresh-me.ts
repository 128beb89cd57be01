import AxiosInstanceFactory from 'axios-refresh-me'
import { requestByAxios } from '../../scoreboard/clients.ts'
import type { Adapter } from '../../scoreboard/types.ts'
import { tokenVariable } from './token-variable.ts'

/** https://github.com/D4r1inG/axios-refresh-me#example */
export const adapter: Adapter = {
  open(world, variant) {
    const tokens = tokenVariable(world)
    AxiosInstanceFactory.use({
      refreshHandler: async () => {
        await tokens.refresh()
      },
      statusCodes: [401],
      retryCount: 1,
      ...variant,
    })
    AxiosInstanceFactory.interceptor.request.use((config) => {
      config.headers.Authorization = `Bearer ${tokens.access}`
      return config
    })
    const api = AxiosInstanceFactory.getInstance({ baseURL: world.origin })
    return { signIn: tokens.signIn, request: requestByAxios(api) }
  },
}
