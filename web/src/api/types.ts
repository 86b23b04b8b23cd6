// Made from openapi.json by `npm run types`; not to be changed by hand.

/** An alert. */
export interface Alert {
  /** When. */
  acknowledgedAt: string | null;
  /** Who has seen it. */
  acknowledgedBy: string | null;
  /** Its id. */
  id: string;
  kind: "route_down" | "failure_rate" | "quota_80" | "quota_100" | "backlog_age" | "receipts_missing" | "webhook_failing" | "phone_offline" | "all_routes_out" | "bulk_backlog_age";
  /** What it says. */
  message: string;
  quota: AlertQuota | null;
  /** When it was raised. */
  raisedAt: string;
  /** When it was resolved; `null` while it is raised. */
  resolvedAt: string | null;
  severity: "urgent" | "warning";
  /** Whether it was silenced: nobody was told. */
  silenced: boolean;
  /** `raised` or `resolved`. */
  status: string;
  /** Which one: kind and id. */
  subject: string;
  /** What it was when it was raised; the unit is the kind's. */
  value: number;
}

/** Which quota an alert is about, as it stood when the alert was raised. */
export interface AlertQuota {
  /** The most that may be used. */
  limit: number;
  /** How long it counts: `hour`, `day` or `month`, in the project's time zone. */
  per: string;
  /** What it counts: `messages`, `segments` or `spend`, in units of the project's currency. */
  unit: string;
  /** What was used. */
  used: number;
  /** What was used, in percent, rounded down: less than 100 in an alert `quota_100` where what is left is less than any message needs. */
  usedPercent: number;
}

/** A file of an e-mail. */
export interface Attachment {
  /** By which the HTML body shows it. */
  contentId: string | null;
  createdAt: string;
  /** The path under this API where the file is, with the same key. */
  downloadPath: string;
  /** Always `null`: files are not served to who has no key. `downloadPath` is where to get it. */
  downloadUrl: string | null;
  /** Its name. */
  filename: string;
  /** Its id. */
  id: string;
  /** Whether the HTML body shows it. */
  isInline: boolean;
  /** Its type. */
  mimeType: string;
  /** Its length in bytes. */
  size: number;
}

/** One try on one channel. */
export interface Attempt {
  channel: "sms" | "whatsapp" | "telegram" | "email";
  /** What it has cost; `null` before it was charged. */
  cost?: number | null;
  /** What it was expected to cost. */
  costEstimated: number;
  /** When its delivery became known. */
  deliveredAt?: string | null;
  /** The same by kind. */
  errorCategory?: string | null;
  /** Why it failed, or the last obstacle. */
  errorCode?: string | null;
  /** The same for people. */
  errorMessage?: string | null;
  /** When it failed. */
  failedAt?: string | null;
  /** 1 for the first channel, 2 for the fallback. */
  no: number;
  /** Routes that certainly did not take it (R-ROUTE-4). */
  refusedBy: string[];
  /** How often it was handed over again after an unknown outcome (R-DUP). */
  resends: number;
  /** The route that has it, or had it last. */
  route?: string | null;
  /** Number of parts. */
  segments: number;
  /** Parts that the provider took. */
  segmentsAccepted: number;
  /** Parts whose delivery is confirmed. */
  segmentsDelivered: number;
  /** When the provider took it. */
  sentAt?: string | null;
  /** Where it stands: `sending`, `unknown`, `sent`, `failed`, `delivered` or `read`. */
  state: string;
}

/** One channel as the decision saw it. */
export interface ChannelCandidate {
  /** The contact's mean delivery time there. */
  avgDeliveryTimeMs?: number | null;
  channel: "sms" | "whatsapp" | "telegram" | "email";
  /** What the message would cost there. */
  cost?: number | null;
  /** The contact's failures there. */
  failureCount: number;
  /** Whether it would go as an MMS there, or would if a route had `mms`; absent where not. */
  mms?: boolean;
  /** Why it was chosen or dropped. */
  reason?: string | null;
  /** Parts that it would have there. */
  segments?: number | null;
  /** The contact's successes there. */
  successCount: number;
  /** What was found: `chosen`, `dearer`, `slower`, `poor_record`, `passed_over`, `waiting` or `dropped`. */
  verdict: string;
}

/** A password, chosen by a link. */
export interface ChosenPassword {
  /** At least 10 characters, and not the e-mail address. */
  password: string;
  token: string;
}

/** A message that one has. */
export interface ClaimedMessage {
  claim: WaitingClaimTerm;
  item: WaitingMessage;
}

/** The thread with one contact across all channels, for one sender. */
export interface Conversation {
  /** The channels that it went over so far. */
  channels: string[];
  /** The contact. */
  contactId: string;
  /** The contact's number; where it has none, the first of its other addresses. */
  contactIdentifier: string;
  createdAt: string;
  /** What people call the contact. */
  displayName?: string | null;
  /** The contact's e-mail address. */
  email?: string | null;
  /** Its id. */
  id: string;
  /** Its newest message. */
  lastMessage: ConversationLastMessage;
  /** How many messages it has. */
  messageCount: number;
  /** Whether the contact opted out of this sender: then nothing can be sent. */
  optedOut: boolean;
  /** The sender. */
  senderId?: string | null;
  /** How many came in since somebody said that they are read. */
  unreadCount: number;
  updatedAt: string;
  whatsapp?: ConversationWhatsApp | null;
  /** Until when anything can be sent on WhatsApp; absent while its window is closed (R-WIN-1). */
  whatsappWindowUntil?: string | null;
}

/** The newest message of a conversation, in short. */
export interface ConversationLastMessage {
  at: string;
  channel: "auto" | "sms" | "whatsapp";
  direction: "inbound" | "outbound";
  /** Its id. */
  id: string;
  /** Its text; where it has none, its kind in brackets. */
  text: string;
}

/** What WhatsApp calls a contact. */
export interface ConversationWhatsApp {
  /** Its business-scoped user id. */
  bsuid: string;
}

/** A new user. */
export interface CreateUser {
  email: string;
  name: string;
  role: "owner" | "admin" | "agent";
}

/** One decision with all its candidates. */
export type Decision = Routing & {
  /** When it was made; absent in a preview. */
  at?: string | null;
  /** Every channel, in the order in which they were considered. */
  channels: ChannelCandidate[];
  /** The same in words. */
  explanation: string[];
  /** The routes of the channels that were not dropped, in the order considered. */
  routes: RouteCandidate[];
};

/** What changes of a user. */
export interface EditUser {
  /** Whether they may not sign in any more; who is disabled is signed out everywhere. */
  isDisabled?: boolean | null;
  name?: string | null;
  role?: "owner" | "admin" | "agent";
}

/** The body of every refusal. */
export interface Error {
  /** What went wrong, for programs. */
  code: ErrorCode;
  details?: ErrorDetails | null;
  /** What went wrong, for people. */
  message: string;
}

/** What went wrong, for programs. */
export type ErrorCode = "invalid_request" | "invalid_json" | "bad_request" | "whatsapp_window_closed" | "template_not_approved" | "unauthorized" | "forbidden" | "recipient_opted_out" | "not_found" | "method_not_allowed" | "conflict" | "claimed" | "no_channel" | "payload_too_large" | "rate_limited" | "backlog_full" | "internal_error" | "unavailable" | "provider_error";

/** More about a refusal. */
export interface ErrorDetails {
  /** The wrong fields. */
  errors?: FieldError[];
}

/** One wrong field. */
export interface FieldError {
  /** What is wrong with it. */
  message: string;
  /** The way to the field: names, and indexes in lists. */
  path: string[];
}

/** Who signs in. */
export interface Login {
  /** The user's e-mail address. */
  email: string;
  password: string;
  /** Whether the session lasts 30 days unused instead of 12 hours: for one's own phone. */
  stay?: boolean;
}

/** A message, outbound or inbound. */
export type Message = OutboundMessage & {
  /** The files of an inbound e-mail. */
  attachments?: Attachment[];
  channel: "auto" | "sms" | "whatsapp";
  content?: MessageContentShown | null;
  /** The thread with the person, across all channels. */
  conversationId?: string | null;
  createdAt: string;
  direction: "inbound" | "outbound";
  /** Who it is from: our address, or the person where inbound. */
  from?: string | null;
  /** Its id. */
  id: string;
  messageType: "text" | "image" | "video" | "audio" | "document" | "sticker" | "location" | "contact" | "buttons" | "list" | "cta_url" | "request_contact_info" | "location_request" | "reaction" | "template";
  /** At most 50 entries and 10,240 bytes */
  metadata: Record<string, unknown>;
  /** The provider's id: of an inbound message, or, asked for one message, of the newest attempt of an outbound one that can be answered or reacted to. */
  providerMessageId?: string | null;
  /** The sender that it belongs to. */
  senderId?: string | null;
  status: "queued" | "sending" | "sent" | "failed" | "delivered" | "read" | "received";
  /** The text, or the caption of a medium. */
  text?: string | null;
  /** Who it is for: the recipient, or our address where inbound. */
  to: string;
  updatedAt: string;
};

/** What a message holds beside its text, by its kind. */
export interface MessageContent {
  /** Buttons under the text. */
  buttons?: MessageContentButton[] | null;
  /** Contact cards. */
  contacts?: MessageContentCard[] | null;
  /** The word on the link button. */
  ctaDisplayText?: string | null;
  /** The header, where it is a medium. */
  ctaHeaderMediaUrl?: string | null;
  /** The header, where it is text. */
  ctaHeaderText?: string | null;
  ctaHeaderType?: "text" | "image" | "video" | "document";
  /** Where the link button leads. */
  ctaUrl?: string | null;
  /** The emoji of a reaction; an empty one takes an earlier reaction back. */
  emoji?: string | null;
  /** Name of the file that the recipient sees. */
  filename?: string | null;
  /** What stands below the text. */
  footerText?: string | null;
  /** Degrees north. */
  latitude?: number | null;
  /** The word on the button that opens the list. */
  listButton?: string | null;
  /** Address of the place. */
  locationAddress?: string | null;
  /** Name of the place. */
  locationName?: string | null;
  /** Degrees east. */
  longitude?: number | null;
  /** The provider's id of a medium that was uploaded. */
  mediaId?: string | null;
  /** Where the medium is fetched from. */
  mediaUrl?: string | null;
  /** The medium's type. */
  mimeType?: string | null;
  /** The message that is reacted to. */
  reactToMessageId?: string | null;
  /** The list. */
  sections?: MessageContentSection[] | null;
  /** Values for its buttons, by their place from 0: the end of a link, a code, or what a quick reply sends back. */
  templateButtonVariables?: Record<string, unknown> | null;
  /** Values for its header: by placeholder, or `mediaUrl`, `mediaId` and `filename`. */
  templateHeaderVariables?: Record<string, unknown> | null;
  /** The template: for kind `template` what is sent, for others what WhatsApp carries while its window is closed. */
  templateId?: string | null;
  /** Values for the placeholders of its body, by number or name. */
  templateVariables?: Record<string, unknown> | null;
}

/** A button. */
export interface MessageContentButton {
  id: string;
  title: string;
}

/** A contact card. */
export interface MessageContentCard {
  name?: string | null;
  phones?: string[] | null;
}

/** The message that an inbound one answers or reacts to. */
export interface MessageContentQuoted {
  /** Who wrote it: the person, or our address. */
  replyToFrom?: string | null;
  /** Its id, where it is known here. */
  replyToMessageId?: string | null;
  /** Its kind. */
  replyToMessageType?: string | null;
  /** The provider's id of it. */
  replyToProviderMessageId?: string | null;
  /** Its words. */
  replyToText?: string | null;
}

/** A row of a list. */
export interface MessageContentRow {
  description?: string | null;
  id: string;
  title: string;
}

/** A section of a list. */
export interface MessageContentSection {
  rows: MessageContentRow[];
  title?: string;
}

/** What a message holds beside its text. */
export type MessageContentShown = MessageContent & MessageContentQuoted;

/** How a message was routed, from acceptance to its end. */
export interface MessageRouting {
  /** The attempts, in order. */
  attempts: Attempt[];
  /** The currency of all costs. */
  currency: string;
  /** The decisions, oldest first. */
  decisions: Decision[];
  /** All of the decisions in words. */
  explanation: string[];
  /** The message. */
  messageId: string;
  /** What providers said, oldest first. */
  receipts: Receipt[];
  status: "queued" | "sending" | "sent" | "failed" | "delivered" | "read" | "received";
  /** Parameters of the request that nobody knows, or that are given more than once. */
  warnings?: FieldError[];
}

/** What an outbound message waits for that has not gone. */
export interface MessageWaits {
  /** The channel that it is to go by; absent where that is not decided yet. */
  channel?: string | null;
  /** The channels by which it has failed. */
  failed: string[];
  for: "time" | "route" | "person" | "fallback" | "outcome";
}

/** What only outbound messages have; no field is required, since inbound ones have none of them. */
export interface OutboundMessage {
  /** The channels that were tried, in order. */
  attemptedChannels?: string[];
  /** The campaign that the caller counts it under. */
  campaign?: string | null;
  category?: "transactional" | "otp" | "promotional";
  /** Tandem's own fee: none. */
  cost?: number;
  /** What the attempts so far were expected to cost. */
  costEstimated?: number | null;
  /** What the provider has charged so far; `null` before it has. */
  costProvider?: number | null;
  /** The sum of both. */
  costTotal?: number | null;
  /** The currency of all of these. */
  currency?: string | null;
  /** The same by kind. */
  errorCategory?: string | null;
  /** The last error of a failed message: the provider's code, or ours. */
  errorCode?: string | null;
  /** The same for people. */
  errorMessage?: string | null;
  expiresAt?: string;
  /** Whether another channel may be tried when the first fails. */
  fallbackEnabled?: boolean;
  /** Validity ended without a receipt. */
  receiptMissing?: boolean;
  /** The route that has it, or had it last; absent before one did, and where it was removed since. */
  route?: string | null;
  /** When it is to be sent. */
  scheduledAt?: string | null;
  trafficClass?: "direct" | "bulk";
  waits?: MessageWaits | null;
}

/** A change of one's password. */
export interface PasswordChange {
  /** The one until now. */
  current: string;
  /** The new one: at least 10 characters, and not the e-mail address. */
  new: string;
}

/** A link's token. */
export interface PasswordLink {
  token: string;
}

/** Whose link it is. */
export interface PasswordLinkOwner {
  email: string;
  name: string;
}

/** Which subscription goes. */
export interface PushEndpoint {
  endpoint: string;
}

/** The key that a browser subscribes with. */
export interface PushKey {
  /** VAPID, base 64 for URLs. */
  publicKey: string;
}

/** A browser's subscription, as `PushSubscription.toJSON()` gives it. */
export interface PushSubscription {
  /** The URL at the browser's push service. */
  endpoint: string;
  keys: PushSubscriptionKeys;
}

export interface PushSubscriptionKeys {
  auth: string;
  p256dh: string;
}

/** What became of a test. */
export interface PushTest {
  /** How many browsers' push services took it. */
  sent: number;
}

/** What a provider said. */
export interface Receipt {
  at: string;
  /** The attempt that it was for. */
  attempt: number;
  /** The provider's own words. */
  raw: string;
  /** What it said: `in_transit`, `delivered`, `read` or `failed`. */
  state: string;
}

/** One route as the decision saw it. */
export interface RouteCandidate {
  /** Who took it out and why, where a person did. */
  because?: string | null;
  channel: "sms" | "whatsapp" | "telegram" | "email";
  /** What the message would cost there. */
  cost?: number | null;
  /** What keeps it from taking the message now, where the verdict does not say so: of the route that is waited for, or would have been. `throttled`, `down`, `out_of_quota`, `reserved_for_direct`, `drained`, `disabled` or `project_out_of_quota`. */
  obstacle?: string | null;
  /** Why it was chosen or dropped. */
  reason?: string | null;
  /** The route, also where it is not configured any more; absent where its name is lost. */
  route?: string | null;
  /** Its class. */
  routeClass?: string | null;
  /** What was found: `chosen`, `channel_passed_over`, `later_class`, `dearer`, `lower_success`, `busier`, `down`, `throttled`, `out_of_quota`, `project_out_of_quota`, `drained`, `disabled` or `dropped`. */
  verdict: string;
}

/** What was decided for a message, in short (R-API-2). `GET /v1/messages/{id}/routing` has all. */
export interface Routing {
  channel?: "sms" | "whatsapp" | "telegram" | "email";
  /** Why. */
  classReason: string;
  /** What it is expected to cost there. */
  costEstimated?: number | null;
  /** Whether it goes as an MMS there; absent where not. */
  mms?: boolean;
  /** What it waits for, where it does: its route is `throttled`, `down`, `out_of_quota`, `reserved_for_direct`, `drained` or `disabled`, or the project is out of quota (`project_out_of_quota`). */
  obstacle?: string | null;
  /** Why. */
  reason?: string | null;
  /** The route that was chosen or is waited for. */
  route?: string | null;
  /** Its class: `gateway`, `platform` or `phone`; absent where it serves every kind of traffic. */
  routeClass?: string | null;
  /** Why that route. */
  routeReason?: string | null;
  /** Parts that it has on that channel. */
  segments?: number | null;
  trafficClass: "direct" | "bulk";
  /** Whether it waits for the route to come up or for room on it (R-CHAN-5). */
  waits: boolean;
}

/** Who is signed in. */
export interface Session {
  /** To be sent as `X-CSRF-Token` with everything that changes something. */
  csrfToken: string;
  project: SessionProject;
  user: User;
}

export interface SessionProject {
  id: string;
  name: string;
}

/** A browser in which one is signed in. */
export interface SignedInSession {
  /** What the browser calls itself. */
  agent: string;
  createdAt: string;
  /** When it ends if it is not used any more. */
  endsAt: string;
  id: string;
  /** Whether it is the one that asks. */
  isCurrent: boolean;
  /** When it was last used, to the minute. */
  seenAt: string;
}

/** All of one's sessions. */
export interface SignedInSessions {
  items: SignedInSession[];
}

/** A silence. */
export interface Silence {
  /** Who said so. */
  by: string;
  /** When. */
  createdAt: string;
  /** Its id. */
  id: string;
  /** Of which kind; `null` is every kind. */
  kind: string | null;
  /** Why. */
  reason: string;
  /** Of which subject; `null` is every one. */
  subject: string | null;
  /** Until when. */
  until: string;
  /** Fields of the request that were ignored, and a subject that is not configured. */
  warnings?: FieldError[];
}

/** What is unread. */
export interface UnreadCount {
  /** How many conversations have something unread; counted up to 100. */
  conversations: number;
}

/** A user. */
export interface User {
  createdAt: string;
  email: string;
  /** Whether they chose a password yet. */
  hasPassword: boolean;
  id: string;
  /** Whether they may not sign in any more. */
  isDisabled: boolean;
  name: string;
  role: "owner" | "admin" | "agent";
}

/** A user and the link by which they choose their password. */
export interface UserWithLink {
  /** Shown once; to be given to them by a way that nobody else reads. */
  link: string;
  linkExpiresAt: string;
  user: User;
}

/** All users of the project. */
export interface Users {
  items: User[];
}

/** Who has a message. */
export interface WaitingClaim {
  /** Their id. */
  id: string;
  /** Their name. */
  name: string;
  /** Until when: then it waits for anybody again. */
  until: string;
}

/** Until when one has a message. */
export interface WaitingClaimTerm {
  until: string;
}

/** A message that waits for somebody's phone. */
export interface WaitingMessage {
  acceptedAt: string;
  claimedBy?: WaitingClaim | null;
  /** What the contact is called. */
  contactName?: string | null;
  /** When it is too late. */
  expiresAt: string;
  id: string;
  /** Which sender it is from; the recipient sees the person's own number. */
  senderName: string;
  /** What is to be sent, as a text message. */
  text: string;
  /** The recipient's number. */
  to: string;
}

/** Everything that waits, oldest first. */
export interface WaitingMessages {
  items: WaitingMessage[];
  /** Whether more waits than is listed. */
  more: boolean;
}
