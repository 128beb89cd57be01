/** @jsxImportSource solid-js */
import { render } from 'solid-js/web'
import { start } from '../common/start.ts'
import { App } from './app.tsx'

start((target) => render(() => <App />, target))
