import axios from 'axios'
import { createAuthRefresh } from 'axios-auth-refresh'
import { requestByAxios } from '../../scoreboard/clients.ts'
import type { Adapter } from '../../scoreboard/types.ts'
import { tokenVariable } from './token-variable.ts'

/** https://github.com/Flyrell/axios-auth-refresh#usage and #request-interceptor */
export const adapter: Adapter = {
  open(world, variant) {
    const tokens = tokenVariable(world)
    const api = axios.create({ baseURL: world.origin })
    createAuthRefresh(
      api,
      async (failedRequest) => {
        const { access_token } = await tokens.refresh()
        failedRequest.response.config.headers.Authorization = `Bearer ${access_token}`
      },
      variant,
    )
    api.interceptors.request.use((request) => {
      request.headers.Authorization = `Bearer ${tokens.access}`
      return request
    })
    return { signIn: tokens.signIn, request: requestByAxios(api) }
  },
}
