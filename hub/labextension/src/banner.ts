/** The bar in a corner of the page that shows a notice with its countdown. */

import { ServerClock, countdown, isSpoken, secondsLeft } from './countdown';
import { INotice, titleOf } from './notice';

/** A button in the bar. */
export interface IAction {
  readonly label: string;
  readonly press: () => void;
}

/** Shows one notice at a time, above everything but dialogs. All texts are shown as text. */
export class Banner {
  constructor(
    private _clock: ServerClock,
    name: 'banner' | 'message' = 'banner'
  ) {
    this.node.className = `labswarm-notice labswarm-${name}`;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', LABELS[name]);
    this.node.hidden = true;
    this._text.setAttribute('aria-live', 'assertive');
    this._spoken.className = 'labswarm-spoken';
    this._spoken.setAttribute('aria-live', 'polite');
    this._count.className = 'labswarm-countdown';
    // Said by `_spoken`, and less often.
    this._count.setAttribute('aria-hidden', 'true');
    this._detail.setAttribute('aria-live', 'polite');
    this._buttons.className = 'labswarm-buttons';
    this._text.append(this._title, this._message);
    this.node.append(this._text, this._count, this._spoken, this._detail, this._buttons);
    // An instructor's own words may be in a script that is read from the right.
    this._message.dir = 'auto';
    corner().append(this.node);
  }

  readonly node = document.createElement('section');

  /** Show a notice, in place of the one that is shown. */
  show(notice: INotice, actions: readonly IAction[] = []): void {
    this.say(titleOf(notice), notice.message, actions);
    this._notice = notice;
    this.node.dataset.kind = notice.kind;
    this._count.hidden = notice.deadline === null;
    if (notice.deadline !== null) {
      this._tick();
      this._timer = window.setInterval(() => this._tick(), 250);
    }
  }

  /** Show a title and a sentence without a countdown. */
  say(title: string, message: string, actions: readonly IAction[] = []): void {
    window.clearInterval(this._timer);
    this._notice = null;
    delete this.node.dataset.kind;
    this._title.textContent = title;
    this._message.textContent = ` ${message}`;
    this._count.hidden = true;
    this._spoken.textContent = '';
    this.detail('');
    this._buttons.replaceChildren(
      ...[...actions, { label: 'Hide', press: () => this.hide() }].map(buttonOf)
    );
    this.node.hidden = false;
  }

  /** Add a sentence to those that are shown. */
  detail(text: string): void {
    this._detail.textContent = text;
  }

  /** Take the bar away if it shows a notice, and leave anything else. */
  hideNotice(): void {
    if (this._notice !== null) {
      this.hide();
    }
  }

  /** Take the bar away. */
  hide(): void {
    window.clearInterval(this._timer);
    this._notice = null;
    this.node.hidden = true;
  }

  private _tick(): void {
    if (this._notice?.deadline == null) {
      return;
    }
    const now = this._clock.now();
    const words = countdown(this._notice.deadline, now);
    const text = this._notice.kind === 'interruption' ? `At the latest ${words}.` : `${words}.`;
    if (this._count.textContent !== text) {
      this._count.textContent = text[0].toUpperCase() + text.slice(1);
      if (isSpoken(secondsLeft(this._notice.deadline, now))) {
        this._spoken.textContent = this._count.textContent;
      }
    }
  }

  private _notice: INotice | null = null;
  private _timer = 0;
  private _text = document.createElement('div');
  private _title = document.createElement('strong');
  private _message = document.createElement('span');
  private _count = document.createElement('span');
  private _spoken = document.createElement('span');
  private _detail = document.createElement('div');
  private _buttons = document.createElement('div');
}

const LABELS = { banner: 'Notice about your server', message: 'Message from your instructor' };

/** Where all bars are, each above the one before. */
function corner(): HTMLElement {
  let found = document.querySelector<HTMLElement>('.labswarm-corner');
  if (found === null) {
    found = document.createElement('div');
    found.className = 'labswarm-corner';
    document.body.append(found);
  }
  return found;
}

/** A button as the page's own are. */
export function buttonOf(action: IAction): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'labswarm-button';
  button.textContent = action.label;
  button.addEventListener('click', action.press);
  return button;
}
