"use strict";(self.rspackChunkjupyterlab_labswarm=self.rspackChunkjupyterlab_labswarm||[]).push([[700],{13(r,e,a){var o=a(14),t=a.n(o),n=a(15),i=(a.n(n))()(t());i.push([r.id,`.labswarm-corner {
  position: fixed;
  z-index: 9000; /* JupyterLab's dialogs are above it, at 10000. */
  right: 12px;
  bottom: 36px; /* Where JupyterLab's own notifications are: above the status bar. */
  display: flex;
  flex-direction: column-reverse;
  gap: 8px;
  width: min(460px, calc(100vw - 24px));
}

.labswarm-notice {
  box-sizing: border-box;
  max-height: 40vh;
  overflow-y: auto;
  padding: 8px 12px;
  border: 1px solid var(--jp-border-color1);
  border-left: 6px solid var(--jp-warn-color1);
  border-radius: var(--jp-border-radius);
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color0);
  box-shadow: var(--jp-elevation-z6);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.4;
}

.labswarm-message {
  border-left-color: var(--jp-info-color1);
}

.labswarm-message span {
  display: block;
  overflow-wrap: anywhere;
  white-space: pre-line;
}

.labswarm-notice[hidden],
.labswarm-overlay[hidden] {
  display: none;
}

.labswarm-countdown {
  font-weight: bold;
  font-variant-numeric: tabular-nums;
}

.labswarm-spoken {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

.labswarm-buttons {
  display: flex;
  flex-wrap: wrap;
  justify-content: flex-end;
  gap: 8px;
  margin-top: 6px;
}

.labswarm-button {
  min-height: 28px;
  padding: 0 12px;
  border: 1px solid var(--jp-border-color0);
  border-radius: var(--jp-border-radius);
  background: var(--jp-layout-color2);
  color: var(--jp-ui-font-color0);
  font: inherit;
  cursor: pointer;
}

.labswarm-button:hover {
  background: var(--jp-layout-color3);
}

.labswarm-button:focus-visible {
  outline: 2px solid var(--jp-brand-color1);
  outline-offset: 2px;
}

.labswarm-overlay {
  position: fixed;
  z-index: 9500;
  inset: 0;
  display: flex;
  align-items: center;
  justify-content: center;
  padding: 16px;
  background: color-mix(in srgb, var(--jp-layout-color0) 75%, transparent);
}

.labswarm-card {
  box-sizing: border-box;
  width: min(480px, 100%);
  padding: 24px;
  border: 1px solid var(--jp-border-color1);
  border-radius: 8px;
  background: var(--jp-layout-color1);
  color: var(--jp-ui-font-color0);
  box-shadow: var(--jp-elevation-z12);
  font-family: var(--jp-ui-font-family);
  font-size: var(--jp-ui-font-size1);
  line-height: 1.5;
}

.labswarm-card:focus {
  outline: none;
}

.labswarm-card h2 {
  margin: 0 0 8px;
  font-size: var(--jp-ui-font-size3);
  line-height: 1.3;
}

.labswarm-card p {
  margin: 0 0 16px;
}

.labswarm-bar {
  height: 4px;
  overflow: hidden;
  border-radius: 2px;
  background: var(--jp-layout-color3);
}

.labswarm-bar[hidden] {
  display: none;
}

.labswarm-bar::after {
  display: block;
  width: 40%;
  height: 100%;
  border-radius: 2px;
  background: var(--jp-brand-color1);
  content: '';
  animation: labswarm-bar 2.4s ease-in-out infinite alternate;
}

@keyframes labswarm-bar {
  from {
    transform: translateX(0);
  }

  to {
    transform: translateX(150%);
  }
}

@media (prefers-reduced-motion: reduce) {
  .labswarm-bar::after {
    animation: none;
  }
}
`,""]),a.d(e,{},{A:i})},15(r){r.exports=function(r){var e=[];return e.toString=function(){return this.map(function(e){var a="",o=void 0!==e[5];return e[4]&&(a+="@supports (".concat(e[4],") {")),e[2]&&(a+="@media ".concat(e[2]," {")),o&&(a+="@layer".concat(e[5].length>0?" ".concat(e[5]):""," {")),a+=r(e),o&&(a+="}"),e[2]&&(a+="}"),e[4]&&(a+="}"),a}).join("")},e.i=function(r,a,o,t,n){"string"==typeof r&&(r=[[null,r,void 0]]);var i={};if(o)for(var s=0;s<this.length;s++){var l=this[s][0];null!=l&&(i[l]=!0)}for(var c=0;c<r.length;c++){var p=[].concat(r[c]);o&&i[p[0]]||(void 0!==n&&(void 0===p[5]||(p[1]="@layer".concat(p[5].length>0?" ".concat(p[5]):""," {").concat(p[1],"}")),p[5]=n),a&&(p[2]&&(p[1]="@media ".concat(p[2]," {").concat(p[1],"}")),p[2]=a),t&&(p[4]?(p[1]="@supports (".concat(p[4],") {").concat(p[1],"}"),p[4]=t):p[4]="".concat(t)),e.push(p))}},e}},14(r){r.exports=function(r){return r[1]}},7(r){var e=[];function a(r){for(var a=-1,o=0;o<e.length;o++)if(e[o].identifier===r){a=o;break}return a}function o(r,o){for(var t={},n=[],i=0;i<r.length;i++){var s=r[i],l=o.base?s[0]+o.base:s[0],c=t[l]||0,p="".concat(l," ").concat(c);t[l]=c+1;var d=a(p),u={css:s[1],media:s[2],sourceMap:s[3],supports:s[4],layer:s[5]};if(-1!==d)e[d].references++,e[d].updater(u);else{var f=function(r,e){var a=e.domAPI(e);return a.update(r),function(e){e?(e.css!==r.css||e.media!==r.media||e.sourceMap!==r.sourceMap||e.supports!==r.supports||e.layer!==r.layer)&&a.update(r=e):a.remove()}}(u,o);o.byIndex=i,e.splice(i,0,{identifier:p,updater:f,references:1})}n.push(p)}return n}r.exports=function(r,t){var n=o(r=r||[],t=t||{});return function(r){r=r||[];for(var i=0;i<n.length;i++){var s=a(n[i]);e[s].references--}for(var l=o(r,t),c=0;c<n.length;c++){var p=a(n[c]);0===e[p].references&&(e[p].updater(),e.splice(p,1))}n=l}}},9(r){var e={};r.exports=function(r,a){var o=function(r){if(void 0===e[r]){var a=document.querySelector(r);if(window.HTMLIFrameElement&&a instanceof window.HTMLIFrameElement)try{a=a.contentDocument.head}catch(r){a=null}e[r]=a}return e[r]}(r);if(!o)throw Error("Couldn't find a style target. This probably means that the value for the 'insert' parameter is invalid.");o.appendChild(a)}},11(r){r.exports=function(r){var e=document.createElement("style");return r.setAttributes(e,r.attributes),r.insert(e,r.options),e}},10(r,e,a){r.exports=function(r){var e=a.nc;e&&r.setAttribute("nonce",e)}},8(r){r.exports=function(r){if("u"<typeof document)return{update:function(){},remove:function(){}};var e=r.insertStyleElement(r);return{update:function(a){var o,t,n;o="",a.supports&&(o+="@supports (".concat(a.supports,") {")),a.media&&(o+="@media ".concat(a.media," {")),(t=void 0!==a.layer)&&(o+="@layer".concat(a.layer.length>0?" ".concat(a.layer):""," {")),o+=a.css,t&&(o+="}"),a.media&&(o+="}"),a.supports&&(o+="}"),(n=a.sourceMap)&&"u">typeof btoa&&(o+="\n/*# sourceMappingURL=data:application/json;base64,".concat(btoa(unescape(encodeURIComponent(JSON.stringify(n))))," */")),r.styleTagTransform(o,e,r.options)},remove:function(){var r;null===(r=e).parentNode||r.parentNode.removeChild(r)}}}},12(r){r.exports=function(r,e){if(e.styleSheet)e.styleSheet.cssText=r;else{for(;e.firstChild;)e.removeChild(e.firstChild);e.appendChild(document.createTextNode(r))}}},6(r,e,a){var o=a(7),t=a.n(o),n=a(8),i=a.n(n),s=a(9),l=a.n(s),c=a(10),p=a.n(c),d=a(11),u=a.n(d),f=a(12),b=a.n(f),m=a(13),v={};v.styleTagTransform=b(),v.setAttributes=p(),v.insert=l().bind(null,"head"),v.domAPI=i(),v.insertStyleElement=u(),t()(m.A,v),m.A&&m.A.locals&&m.A.locals}}]);