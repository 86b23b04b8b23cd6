-- More of a sender that was made by the API: the template for a closed WhatsApp window, as it was named;
-- and after how many milliseconds without a delivery another channel is tried.
ALTER TABLE sender ADD COLUMN default_template TEXT;
ALTER TABLE sender ADD COLUMN fallback_after INTEGER;
