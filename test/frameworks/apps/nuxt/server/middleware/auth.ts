import { nuxtBff } from 'authchart/nuxt'
import { bff } from '../../../shared/bff.ts'

export default defineEventHandler(nuxtBff(bff))
