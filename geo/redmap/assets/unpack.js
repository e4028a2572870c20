/* unpack.js: the scripts of the page, kept as gzip, in their order; each is known to the page's policy by its hash. */
(async () => {
  for (const text of JSON.parse(new TextDecoder().decode(await unzipped('code')))) {
    const script = document.createElement('script');
    script.textContent = text;
    document.head.append(script);
  }
})().catch((error) => console.error(error));
