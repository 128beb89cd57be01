import DefaultTheme from 'vitepress/theme'
import { h } from 'vue'
import { Playground } from './playground.ts'
import './style.css'

export default {
  extends: DefaultTheme,
  // The only page with this layout is that of the playground.
  Layout: () => h(DefaultTheme.Layout, null, { 'home-hero-before': () => h(Playground) }),
}
