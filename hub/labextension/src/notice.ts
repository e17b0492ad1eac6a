/** The notices that a student's server has for its page, as `GET labswarm/notice` answers. */

export const KINDS = [
  'interruption',
  'terminate',
  'idle',
  'age',
  'lab',
  'memory',
  'home',
  'hub'
] as const;
export type Kind = (typeof KINDS)[number];

export interface INotice {
  readonly kind: Kind;
  /** When it happens, in seconds since 1970 by the server's clock; null when no time is known. */
  readonly deadline: number | null;
  /** Distinguishes two notices of one kind without a deadline. */
  readonly id: number;
  /** One or two plain sentences. Show them as text, never as markup. */
  readonly message: string;
}

/** An instructor's own words. */
export interface IMessage {
  /** Distinguishes two messages. */
  readonly id: number;
  /** Show it as text, never as markup. */
  readonly text: string;
}

export interface IAnswer {
  readonly notice: INotice | null;
  /** Null without a message, and from a server that knows none. */
  readonly message: IMessage | null;
  /** The server's time in seconds since 1970; null from a server that does not give it. */
  readonly now: number | null;
}

const TITLES: Record<Kind, string> = {
  interruption: 'Your server is moving to another machine.',
  terminate: 'The machine of your server goes out of service.',
  idle: 'Your server is idle and stops soon.',
  age: 'Your server stops soon.',
  lab: 'Your lab ends soon.',
  memory: 'Out of memory:',
  home: 'Your home is nearly full.',
  hub: 'The hub goes down for a moment.'
};
const LONGEST_MESSAGE = 600;
const DAY_S = 86_400;

/** The title before a notice's sentences, with its own full stop or colon. */
export function titleOf(notice: INotice): string {
  return TITLES[notice.kind];
}

/** Whether the open documents are saved when the notice comes: the server may end. */
export function endsServer(notice: INotice): boolean {
  return ['interruption', 'terminate', 'idle', 'age', 'lab'].includes(notice.kind);
}

/** Whether the server stays when somebody works on it before the deadline. */
export function canKeep(notice: INotice | null): boolean {
  return notice !== null && ['idle', 'lab'].includes(notice.kind);
}

/** Whether a server that ends after this notice is started again by the app, not by the student. */
export function startsAgain(notice: INotice | null): boolean {
  return notice !== null && ['interruption', 'terminate'].includes(notice.kind);
}

/** A notice's name, as the server makes it too. Two notices with one name are the same one. */
export function nameOf(notice: INotice | null): string {
  return notice === null ? '' : `${notice.kind}.${notice.deadline}.${notice.id}`;
}

/** The answer of a server; null when it is not one, however it is wrong. */
export function parseAnswer(answer: unknown): IAnswer | null {
  if (!isObject(answer) || !('notice' in answer)) {
    return null;
  }
  const now = isTime(answer.now) ? answer.now : null;
  const message = parseMessage(answer.message);
  if (answer.notice === null) {
    return { notice: null, message, now };
  }
  const notice = parseNotice(answer.notice);
  return notice === null ? null : { notice, message, now };
}

function parseMessage(value: unknown): IMessage | null {
  if (!isObject(value) || typeof value.id !== 'number' || typeof value.text !== 'string') {
    return null;
  }
  const text = shortened(value.text.trim());
  return text === '' ? null : { id: value.id, text };
}

function parseNotice(value: unknown): INotice | null {
  if (!isObject(value) || !isKind(value.kind)) {
    return null;
  }
  if (typeof value.message !== 'string' || value.message.trim() === '') {
    return null;
  }
  const deadline = value.deadline ?? null;
  if (deadline !== null && !isTime(deadline)) {
    return null;
  }
  const id = typeof value.id === 'number' ? value.id : 0;
  return { kind: value.kind, deadline, id, message: shortened(value.message.trim()) };
}

function shortened(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isKind(value: unknown): value is Kind {
  return KINDS.some(kind => kind === value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= DAY_S;
}
