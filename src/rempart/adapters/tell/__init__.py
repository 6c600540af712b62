"""Ways to reach people: mail, text messages, webhooks; and the messages that are on their way."""
