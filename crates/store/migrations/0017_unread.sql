-- Conversations with something unread, so that they are counted and found however many others there are.
CREATE INDEX thread_unread ON thread (project, last_message) WHERE unread_count > 0;
