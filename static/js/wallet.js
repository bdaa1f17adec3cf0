// Signing our text with a wallet of this browser: Keplr, Leap or Cosmostation (ADR-036, signArbitrary).
"use strict";

(() => {
  const root = document.getElementById("wallet");
  if (!root) return;
  const buttons = root.querySelector("[data-wallet-buttons]");
  const words = root.querySelector("[data-wallet-words]");
  const { purpose, chainId, next, csrf, account, challengeUrl, verifyUrl } = root.dataset;

  const WALLETS = [
    ["Keplr", () => window.keplr],
    ["Leap", () => window.leap],
    ["Cosmostation", () => window.cosmostation && window.cosmostation.providers && window.cosmostation.providers.keplr],
  ];
  const KEY_TYPE = "tendermint/PubKeySecp256k1";

  class Stop extends Error {}

  const say = (text, outcome) => {
    words.textContent = text;
    words.className = `mt-2 mb-0 ${outcome === "failed" ? "text-danger" : "quiet"}`;
  };

  const found = () => {
    const seen = new Set();
    return WALLETS.map(([name, get]) => [name, get()]).filter(([, wallet]) => {
      if (!wallet || typeof wallet.signArbitrary !== "function" || seen.has(wallet)) return false;
      seen.add(wallet);
      return true;
    });
  };

  const send = async (url, body) => {
    const headers = { "Content-Type": "application/json" };
    if (csrf) headers["X-CSRF-Token"] = csrf;
    let answer;
    try {
      answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
    } catch {
      throw new Stop("This site did not answer. Check your connection and try again.");
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Stop(told.detail || "This site could not answer just now. Try again in a minute.");
    return told;
  };

  // Wallets tell a refusal by a code or only by its words.
  const explain = (name, error) => {
    if (error instanceof Stop) return error.message;
    const text = String((error && error.message) || error || "");
    if ((error && error.code === 4001) || /reject|denied|cancel|declin/i.test(text)) return `You cancelled in ${name}. Nothing was signed; press the button to try again.`;
    if (/signer mismatch|mismatched/i.test(text)) return `${name} changed to another account meanwhile. Press the button again to use that one.`;
    if (/no chain info|not (been )?(found|added)|unknown chain|no modular chain/i.test(text)) return `${name} does not know Akash yet. Add Akash in the wallet, then try again.`;
    if (/lock/i.test(text)) return `${name} is locked. Unlock it, then try again.`;
    return `${name} could not sign. Open the wallet, look whether it waits for you, then try again.`;
  };

  const keyOf = async (name, wallet) => {
    await wallet.enable(chainId);
    const key = await wallet.getKey(chainId);
    const address = key && key.bech32Address;
    if (typeof address !== "string" || !address.startsWith("akash1")) throw new Stop(`${name} gave no Akash address. Choose an account with an Akash address in the wallet.`);
    if (purpose === "link" && address === account) throw new Stop(`${name} is on the address that you registered with. Choose the account to link in the wallet, then press the button again.`);
    if (purpose === "payout" && address !== account) throw new Stop(`${name} is on ${address}; you are signed in with ${account}. Choose that account in the wallet, then press the button again.`);
    return address;
  };

  const DONE = {
    sign_in: (address) => `Signed in as ${address}.`,
    link: (address) => `Linked ${address}.`,
    payout: () => "Signed.",
  };
  const TITLES = {
    sign_in: (name) => `Sign in with ${name}`,
    link: (name) => `Link with ${name}`,
    payout: (name) => `Sign with ${name}`,
  };

  const run = async (name, wallet) => {
    say(`Opening ${name}: allow this site to see your address.`);
    const address = await keyOf(name, wallet);
    const challenge = await send(challengeUrl, purpose === "payout" ? {} : { address, purpose });
    say(`Look at ${name}: it shows the text for ${address}. Read it, then approve it.`);
    const signed = await wallet.signArbitrary(chainId, address, challenge.text);
    const key = signed && signed.pub_key;
    if (!key || !signed.signature) throw new Stop(`${name} gave no signature. Try again, or use the command line below.`);
    if (key.type !== KEY_TYPE) throw new Stop(`${name} signed with a kind of key that Akash does not use. Use the command line below.`);
    await send(verifyUrl, { challenge_id: challenge.challenge_id, pub_key: key.value, signature: signed.signature });
    say(DONE[purpose](address));
    window.location.assign(next);
  };

  const press = async (name, wallet) => {
    for (const button of buttons.children) button.disabled = true;
    try {
      await run(name, wallet);
    } catch (error) {
      say(explain(name, error), "failed");
    } finally {
      for (const button of buttons.children) button.disabled = false;
    }
  };

  const show = () => {
    const wallets = found();
    buttons.replaceChildren(...wallets.map(([name, wallet], place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = place ? "btn btn-outline-secondary" : "btn btn-primary";
      button.dataset.wallet = name.toLowerCase();
      button.textContent = TITLES[purpose](name);
      button.addEventListener("click", () => press(name, wallet));
      return button;
    }));
    if (!wallets.length) say("We found no wallet in this browser. Install Keplr, Leap or Cosmostation and reload this page, or use the command line below.");
    else if (/We found no wallet/.test(words.textContent)) say("");
  };

  show();
  // Some wallets put themselves into the page only after it has loaded.
  window.addEventListener("load", show);
  for (const event of ["keplr_keystorechange", "leap_keystorechange", "cosmostation_keystorechange"]) {
    window.addEventListener(event, () => say("Your wallet changed to another account. Press the button to go on with it."));
  }
})();
