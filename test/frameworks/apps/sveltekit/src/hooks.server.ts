import { svelteKitBff } from 'authchart/sveltekit'
import { bff } from '../../shared/bff.ts'

export const handle = svelteKitBff(bff)
