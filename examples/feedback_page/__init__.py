"""A chat page with thumbs: answers stream in, a thumb goes to the log of its answer.

    python -m examples.feedback_page

With CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN set it asks Cloudflare, else a gateway inside this program.
"""
