/** The calm page in front of everything while the server is away. */

import { IAction, buttonOf } from './banner';

/** Covers the page, keeps the keyboard inside, and gives it back where it was. */
export class Overlay {
  constructor(private _host: HTMLElement = document.body) {
    this.node.className = 'labswarm-overlay';
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-modal', 'true');
    this.node.setAttribute('aria-labelledby', 'labswarm-overlay-title');
    this.node.setAttribute('aria-describedby', 'labswarm-overlay-text');
    this.node.hidden = true;
    this._card.className = 'labswarm-card';
    this._card.tabIndex = -1;
    this._title.id = 'labswarm-overlay-title';
    this._text.id = 'labswarm-overlay-text';
    this._text.setAttribute('role', 'status');
    this._bar.className = 'labswarm-bar';
    this._bar.setAttribute('aria-hidden', 'true');
    this._buttons.className = 'labswarm-buttons';
    this._card.append(this._title, this._text, this._bar, this._buttons);
    this.node.append(this._card);
    this._host.append(this.node);
  }

  readonly node = document.createElement('div');

  /** Show these words, and buttons that stay the same while their labels do. */
  show(title: string, text: string, actions: readonly IAction[]): void {
    setText(this._title, title);
    setText(this._text, text);
    const labels = actions.map(action => action.label).join('\n');
    if (labels !== this._labels) {
      this._labels = labels;
      this._buttons.replaceChildren(...actions.map(buttonOf));
    }
    this._bar.hidden = actions.length > 0;
    if (this.node.hidden) {
      this._cover();
    }
  }

  /** Take the overlay away; the keyboard is where it was. */
  hide(): void {
    if (this.node.hidden) {
      return;
    }
    this.node.hidden = true;
    for (const element of this._covered) {
      element.removeAttribute('inert');
    }
    this._covered = [];
    // Without a scroll: the reader is where they were.
    this._before?.focus({ preventScroll: true });
    this._before = null;
  }

  private _cover(): void {
    const active = document.activeElement;
    this._before = active instanceof HTMLElement ? active : null;
    for (const element of Array.from(this._host.children)) {
      if (element !== this.node && !element.hasAttribute('inert')) {
        element.setAttribute('inert', '');
        this._covered.push(element);
      }
    }
    this.node.hidden = false;
    this._card.focus({ preventScroll: true });
  }

  private _labels = '';
  private _before: HTMLElement | null = null;
  private _covered: Element[] = [];
  private _card = document.createElement('div');
  private _title = document.createElement('h2');
  private _text = document.createElement('p');
  private _bar = document.createElement('div');
  private _buttons = document.createElement('div');
}

/** A screen reader says a text again when it is set, even to itself. */
function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}
