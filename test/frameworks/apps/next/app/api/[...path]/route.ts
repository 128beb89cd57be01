import { nextBff } from 'authchart/next'
import { bff } from '../../../../shared/bff.ts'

export const { GET, POST, PUT, PATCH, DELETE } = nextBff(bff)
