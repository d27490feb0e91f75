// An app written with Slack's own framework, as its documentation shows it.
// It is pointed at a fake workspace by SLACK_API_URL.
'use strict';

require('./node18.cjs');

const { App, LogLevel } = require('@slack/bolt');

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  logLevel: LogLevel.WARN,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL, retryConfig: { retries: 0 } },
});

const plain = (text) => ({ type: 'plain_text', text });
const button = (action_id, text, value) => ({ type: 'button', action_id, text: plain(text), value });

const form = (title) => ({
  type: 'modal',
  callback_id: 'reason',
  notify_on_close: true,
  title: plain(title),
  submit: plain('Send'),
  blocks: [
    {
      type: 'input',
      block_id: 'why',
      label: plain('Why'),
      element: { type: 'plain_text_input', action_id: 'text' },
    },
    { type: 'actions', block_id: 'more', elements: [button('more', 'More', '1')] },
  ],
});

app.command('/th', async ({ ack, command, client }) => {
  await ack({ response_type: 'ephemeral', text: `got ${command.text}` });
  await client.chat.postMessage({
    channel: command.channel_id,
    text: 'Promote?',
    blocks: [{ type: 'actions', block_id: 'b', elements: [button('approve', 'Approve', 'd-1'), button('explain', 'Explain', 'd-1')] }],
  });
});

app.action('approve', async ({ ack, respond, action }) => {
  await ack();
  await respond({ replace_original: true, text: `approved ${action.value}` });
});

app.action('explain', async ({ ack, body, client }) => {
  await ack();
  await client.views.open({ trigger_id: body.trigger_id, view: form('Explain') });
});

app.action('more', async ({ ack, body, client }) => {
  await ack();
  await client.views.update({ view_id: body.view.id, hash: body.view.hash, view: form('Explain more') });
});

app.view('reason', async ({ ack, view, body, client }) => {
  const why = view.state.values.why.text.value;
  if (why.length < 5) {
    await ack({ response_action: 'errors', errors: { why: 'Too short.' } });
    return;
  }
  await ack();
  await client.chat.postMessage({ channel: body.user.id, text: `because ${why}` });
});

app.view({ callback_id: 'reason', type: 'view_closed' }, async ({ ack, body, client }) => {
  await ack();
  await client.chat.postMessage({ channel: body.user.id, text: `closed ${body.is_cleared}` });
});

app.event('app_mention', async ({ event, say }) => {
  await say({ text: 'pong', thread_ts: event.ts });
});

app.message('hello', async ({ message, say }) => {
  await say(`hello <@${message.user}>`);
});

app.event('app_home_opened', async ({ event, client }) => {
  await client.views.publish({
    user_id: event.user,
    view: { type: 'home', blocks: [{ type: 'section', text: { type: 'mrkdwn', text: `Home of <@${event.user}>` } }] },
  });
});

app.shortcut('promote', async ({ ack, shortcut, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: form('Promote') });
});

app.shortcut('quote', async ({ ack, shortcut, respond }) => {
  await ack();
  await respond(`you meant “${shortcut.message.text}”`);
});

// What Bolt reports here would be a defect of the fake or of this file.
app.error(async (error) => {
  console.error(error);
  process.exitCode = 1;
});

app.start().catch((error) => {
  console.error(error);
  process.exit(1);
});

process.on('SIGTERM', async () => {
  await app.stop();
  process.exit();
});
