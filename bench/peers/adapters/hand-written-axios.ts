import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios'
import { requestByAxios } from '../../scoreboard/clients.ts'
import type { Adapter } from '../../scoreboard/types.ts'
import { tokenVariable } from './token-variable.ts'

type Config = InternalAxiosRequestConfig & { _retry?: boolean }

/** The interceptor that articles show, with their names: one flag, one queue of failed requests, one mark on the request. */
export const adapter: Adapter = {
  open(world) {
    const tokens = tokenVariable(world)
    const api = axios.create({ baseURL: world.origin })
    let isRefreshing = false
    let failedQueue: { resolve: (token: string) => void; reject: (error: unknown) => void }[] = []

    const processQueue = (error: unknown, token?: string) => {
      for (const { resolve, reject } of failedQueue) {
        if (token) resolve(token)
        else reject(error)
      }
      failedQueue = []
    }

    api.interceptors.request.use((config) => {
      if (tokens.access) config.headers.Authorization = `Bearer ${tokens.access}`
      return config
    })
    api.interceptors.response.use(
      (response) => response,
      async (error: AxiosError) => {
        const original = error.config as Config
        if (error.response?.status !== 401 || original._retry) throw error
        original._retry = true
        if (isRefreshing) {
          const token = await new Promise<string>((resolve, reject) => {
            failedQueue.push({ resolve, reject })
          })
          original.headers.Authorization = `Bearer ${token}`
          return api(original)
        }
        isRefreshing = true
        try {
          const { access_token } = await tokens.refresh()
          processQueue(null, access_token)
          original.headers.Authorization = `Bearer ${access_token}`
          return api(original)
        } catch (refreshError) {
          processQueue(refreshError)
          tokens.clear()
          throw refreshError
        } finally {
          isRefreshing = false
        }
      },
    )
    return {
      signIn: tokens.signIn,
      request: requestByAxios(api),
      signOut: async () => tokens.clear(),
    }
  },
}
